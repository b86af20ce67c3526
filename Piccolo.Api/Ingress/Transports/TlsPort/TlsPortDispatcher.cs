using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.PassThrough;
using Piccolo.Api.Ingress.Tls;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>
/// Does with a client of our TLS port what its ClientHello decides: it is passed through on the loop, becomes a connection of Kestrel's, or is refused.
/// </summary>
internal sealed class TlsPortDispatcher(
    TlsDecider decider, PassedConnections passed, BlockPool blocks, IngressMetrics metrics, ILogger<TlsPortDispatcher> logger)
{
    /// <summary>On the loop's thread. The client's socket and lease belong to what it becomes.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">It has gone.</exception>
    public void Dispatch(TlsPortClient client, in PeekedHello hello)
    {
        switch (decider.Decide(hello, client.Origin))
        {
            case TlsDecision.Terminate terminate:
                Terminate(client, terminate.Route);
                break;
            case TlsDecision.PassThrough pass:
                passed.Begin(PassedOf(client), pass.Listener);
                break;
            case TlsDecision.ToLeader leader:
                passed.Begin(PassedOf(client), leader.Leader);
                break;
            case TlsDecision.Refuse refused:
                Refused(client, refused.Reason, hello.ServerName);
                if (refused.IsToldByAlert) TlsAlert.SendUnrecognizedName(client.Socket);
                client.Close();
                break;
        }
    }

    public void Refused(TlsPortClient client, string reason, string? serverName)
    {
        metrics.Refused(reason);
        logger.ConnectionRefused(client.Id, reason, serverName, client.Origin.PublicPort, client.Origin.Origin);
    }

    public void Failed(TlsPortClient client, Exception failure)
    {
        metrics.Refused("edge_failure");
        logger.ConnectionFailed(failure, client.Id);
    }

    private static PassedConnection PassedOf(TlsPortClient client) => new(client.Id, client.Socket, client.Origin, client.Lease!, client.Port.Stopping);

    private void Terminate(TlsPortClient client, TlsRouteFeature route)
    {
        var connection = new LoopConnection(client.Id, client.Socket, client.Loop, blocks, client.Lease)
        {
            // Requests to an app, and bytes to it, never block. Portal and API do.
            ResumesOnLoop = route.Route is Route.App,
        };
        connection.Features.Set(client.Origin);
        connection.Features.Set(route);
        if (!client.Port.TryQueue(connection)) _ = connection.DisposeAsync().AsTask();
    }
}
