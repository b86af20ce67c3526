using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Origin;

namespace Piccolo.Api.Ingress.Limits;

/// <summary>On our plain port and on the relay's streams, once the origin is known: turns away connections for which there is no room.</summary>
/// <param name="ownPort">80 for our own port, else 0.</param>
internal sealed class AdmissionMiddleware(ConnectionDelegate next, int ownPort, ConnectionAdmission admission) : IConnectionMiddleware
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        using var lease = admission.TryEnter(connection.ConnectionId, connection.Features.GetRequiredFeature<IConnectionOriginFeature>(), ownPort);
        if (lease is not null) await next(connection);
        else connection.Abort(new ConnectionAbortedException("Too many connections."));
    }
}
