using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.PassThrough;
using Piccolo.Api.Ingress.Transports.TlsPort;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>
/// Before TLS on the relay's streams: looks at the ClientHello and either passes the connection through untouched, refuses it, or lets it on to the handshake
/// with its route and certificate decided. Our own port does the same before a connection is made (<see cref="TlsPortClient"/>).
/// </summary>
internal sealed class ClientHelloPeekMiddleware(
    ConnectionDelegate next, ClientHelloPeek peek, TlsDecider decider, Splicer splicer, IngressMetrics metrics, ILogger<ClientHelloPeekMiddleware> logger)
        : IConnectionMiddleware
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        bool terminate;
        try
        {
            terminate = await DecideAsync(connection);
        }
        catch (Exception failure)
        {
            // The connection's edge: whatever a peer provokes ends here, as one line and one count.
            metrics.Refused("edge_failure");
            logger.ConnectionFailed(failure, connection.ConnectionId);
            connection.Abort(new ConnectionAbortedException("Failed before the handshake.", failure));
            return;
        }
        if (terminate) await next(connection);
    }

    /// <returns>Whether TLS is to be ended here; otherwise all is done.</returns>
    private async Task<bool> DecideAsync(ConnectionContext connection)
    {
        var origin = connection.Features.GetRequiredFeature<IConnectionOriginFeature>();
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        var hello = await peek.ReadAsync(connection.Transport.Input, origin, closing);
        switch (decider.Decide(hello, origin))
        {
            case TlsDecision.Terminate terminate:
                connection.Features.Set(terminate.Route);
                return true;
            case TlsDecision.PassThrough pass:
                await splicer.ToAppAsync(SpliceClient.OfTunnel(connection), pass.Listener);
                return false;
            case TlsDecision.ToLeader leader:
                await splicer.RunAsync(SpliceClient.OfTunnel(connection), leader.Leader);
                return false;
            case TlsDecision.Refuse refused:
                if (refused.IsToldByAlert) await AlertAsync(connection);
                metrics.Refused(refused.Reason);
                logger.ConnectionRefused(connection.ConnectionId, refused.Reason, hello.ServerName, origin.PublicPort, origin.Origin);
                return false;
            default:
                throw new InvalidOperationException("This decision is not known here.");
        }
    }

    private static async ValueTask AlertAsync(ConnectionContext connection)
    {
        // Nothing of the hello is left unread when the stream ends.
        if (connection.Transport.Input.TryRead(out var peeked)) connection.Transport.Input.AdvanceTo(peeked.Buffer.End);
        await TlsAlert.SendUnrecognizedNameAsync(connection.Transport.Output);
    }
}
