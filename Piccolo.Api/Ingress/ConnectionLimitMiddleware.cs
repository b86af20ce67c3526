using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Ingress;

/// <summary>Outermost on every endpoint: bounds how many connections are open on all of them together. Kestrel's own limit counts each endpoint by itself.</summary>
internal sealed class ConnectionLimitMiddleware(ConnectionDelegate next, IngressMetrics metrics, IOptions<IngressOptions> options, ILogger<ConnectionLimitMiddleware> logger)
    : IConnectionMiddleware
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (metrics.TryBeginConnection(options.Value.MaxConnections)) return CountedAsync(connection);
        metrics.Refused("total_limit");
        // Of a connection to our own two ports nothing more is known yet.
        var origin = connection.Features.Get<IConnectionOriginFeature>();
        logger.ConnectionRefused(connection.ConnectionId, "total_limit", null, origin?.PublicPort ?? 0, origin?.Origin ?? ConnectionOrigin.Forwarded);
        connection.Abort(new ConnectionAbortedException("Too many connections."));
        return Task.CompletedTask;
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
