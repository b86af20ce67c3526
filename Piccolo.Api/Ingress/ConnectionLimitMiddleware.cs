using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress;

/// <summary>Outermost on every endpoint: takes a place for the connection. Kestrel's own limit counts each endpoint by itself.</summary>
/// <param name="ownPort">80 or 443 for our own two ports, else 0.</param>
internal sealed class ConnectionLimitMiddleware(
    ConnectionDelegate next, int ownPort, ConnectionPlaces places, IngressMetrics metrics, ILogger<ConnectionLimitMiddleware> logger) : IConnectionMiddleware
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (places.TryEnter(connection.RemoteEndPoint, ownPort, out var place)) return CountedAsync(connection, place);
        metrics.Refused("total_limit");
        // Of a connection to our own two ports nothing more is known yet.
        var origin = connection.Features.Get<IConnectionOriginFeature>();
        logger.ConnectionRefused(connection.ConnectionId, "total_limit", null, origin?.PublicPort ?? ownPort, origin?.Origin ?? ConnectionOrigin.Forwarded);
        connection.Abort(new ConnectionAbortedException("Too many connections."));
        return Task.CompletedTask;
    }

    private async Task CountedAsync(ConnectionContext connection, ConnectionPlace place)
    {
        try
        {
            await next(connection);
        }
        finally
        {
            places.Leave(place);
        }
    }
}
