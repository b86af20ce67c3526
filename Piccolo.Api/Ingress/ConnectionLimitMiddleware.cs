using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Ingress;

/// <summary>
/// Outermost on every endpoint: bounds how many connections are open on all of them together. Kestrel's own limit counts each endpoint by itself. The last
/// places are for the owner: for this machine and its LAN, half of them at each of our own two ports.
/// </summary>
/// <param name="ownPort">80 or 443 for our own two ports, else 0.</param>
internal sealed class ConnectionLimitMiddleware(
    ConnectionDelegate next, int ownPort, OriginClassifier classifier, IngressMetrics metrics, IOptions<IngressOptions> options, ILogger<ConnectionLimitMiddleware> logger)
    : IConnectionMiddleware
{
    private int _reserved;

    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (metrics.TryBeginConnection(options.Value.UnreservedConnections)) return CountedAsync(connection);
        if (TryBeginReserved(connection)) return ReservedAsync(connection);
        metrics.Refused("total_limit");
        // Of a connection to our own two ports nothing more is known yet.
        var origin = connection.Features.Get<IConnectionOriginFeature>();
        logger.ConnectionRefused(connection.ConnectionId, "total_limit", null, origin?.PublicPort ?? ownPort, origin?.Origin ?? ConnectionOrigin.Forwarded);
        connection.Abort(new ConnectionAbortedException("Too many connections."));
        return Task.CompletedTask;
    }

    private bool TryBeginReserved(ConnectionContext connection)
    {
        var limits = options.Value;
        if (ownPort == 0 || classifier.Describe(connection.RemoteEndPoint, ownPort) is not { Origin: ConnectionOrigin.Loopback or ConnectionOrigin.Lan }) return false;
        if (Interlocked.Increment(ref _reserved) <= (limits.MaxConnections - limits.UnreservedConnections + 1) / 2 && metrics.TryBeginConnection(limits.MaxConnections)) return true;
        Interlocked.Decrement(ref _reserved);
        return false;
    }

    private async Task ReservedAsync(ConnectionContext connection)
    {
        try
        {
            await CountedAsync(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _reserved);
        }
    }

    private async Task CountedAsync(ConnectionContext connection)
    {
        try
        {
            await next(connection);
        }
        finally
        {
            metrics.EndConnection();
        }
    }
}
