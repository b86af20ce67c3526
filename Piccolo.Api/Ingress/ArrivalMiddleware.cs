using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress;

/// <summary>First on our TLS port: waits for the client of a connection that was handed to the server ahead of it (ADR 0018).</summary>
internal sealed class ArrivalMiddleware(ConnectionDelegate next) : IConnectionMiddleware
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        // Kestrel's own transport, where it is put in this one's place, has no such connections.
        if (connection is not LazySocketConnection posted || await posted.ArrivalAsync()) await next(connection);
    }
}
