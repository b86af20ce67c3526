using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Piccolo.Api.Ingress;

/// <summary>On every endpoint, once the origin is known: turns away a client that has its share of connections already.</summary>
internal sealed class AddressLimitMiddleware(
    ConnectionDelegate next, ConnectionsPerAddress connections, IngressMetrics metrics, ILogger<AddressLimitMiddleware> logger) : IConnectionMiddleware
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        var origin = connection.Features.GetRequiredFeature<IConnectionOriginFeature>();
        if (ConnectionsPerAddress.KeyOf(origin) is not { } client) return next(connection);
        if (connections.TryEnter(client)) return CountedAsync(connection, client);
        metrics.Refused("address_limit");
        logger.ConnectionRefused(connection.ConnectionId, "address_limit", null, origin.PublicPort, origin.Origin);
        connection.Abort(new ConnectionAbortedException("Too many connections from one address."));
        return Task.CompletedTask;
    }

    private async Task CountedAsync(ConnectionContext connection, System.Net.IPAddress client)
    {
        try
        {
            await next(connection);
        }
        finally
        {
            connections.Leave(client);
        }
    }
}
