using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Core.Certificates;
using Piccolo.Core.Routing;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress;

/// <summary>
/// Before TLS: looks at the ClientHello and either passes the connection through untouched, refuses it, or lets it on to the handshake with its route and
/// certificate decided.
/// </summary>
internal sealed class ClientHelloPeekMiddleware(
    ConnectionDelegate next, ClientHelloPeek peek, RouteTableHolder routes, ServerCertificateTable certificates, TlsAlpn01Challenges challenges, DeviceCertificate device, Splicer splicer,
    IngressMetrics metrics,
    ILogger<ClientHelloPeekMiddleware> logger) : IConnectionMiddleware
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
        if (!terminate) return;
        // Requests to an app, and bytes to it, never block. Portal and API do, so that their connections leave the loop that accepted them.
        if (connection is LazySocketConnection own) own.ResumesOnLoop = connection.Features.Get<TlsRouteFeature>() is { Route: Route.App };
        if (connection is LazySocketConnection { ResumesOnLoop: false } && SocketLoop.Current is not null)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await next(connection);
    }

    /// <returns>Whether TLS is to be ended here; otherwise all is done.</returns>
    private async Task<bool> DecideAsync(ConnectionContext connection)
    {
        var origin = connection.Features.GetRequiredFeature<IConnectionOriginFeature>();
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        var posted = connection as LazySocketConnection;
        var (failure, serverName, alpn) = posted?.Hello ?? await peek.ReadAsync(connection, posted?.AwaitedSince, closing);
        if (failure != PeekFailure.None) return Refuse(connection, origin, failure.ToString(), null);

        // A CA that looks for TLS-ALPN-01 offers this one protocol and no other (RFC 8737, 3). Only while an answer is pending for the name; without one the
        // connection is as any other, so that an app behind a pass-through listener can prove its name by itself.
        if (serverName is not null && alpn is [TlsAlpn01Challenges.Protocol] && challenges.Find(serverName) is { } answer)
        {
            connection.Features.Set(new TlsRouteFeature(null, serverName, answer) { IsChallenge = true });
            return true;
        }
        switch (Router.DecideTls(routes.Current, serverName, origin.PublicPort))
        {
            case RouteDecision.PassThrough pass:
                await splicer.ToAppAsync(SpliceClient.OfTransport(connection), pass.Listener);
                return false;
            case RouteDecision.ToLeader leader:
                await splicer.RunAsync(SpliceClient.OfTransport(connection), new DnsEndPoint(leader.LeaderOrigin.IdnHost, leader.LeaderOrigin.Port));
                return false;
            case RouteDecision.Terminate chosen:
                // A name whose certificate is not there yet is refused as an unknown one: no other certificate may answer for it.
                if (certificates.Find(serverName!) is not { } bundle) return await RefuseNameAsync(connection, origin, "NoCertificate", serverName);
                connection.Features.Set(new TlsRouteFeature(chosen.Route, serverName, bundle));
                return true;
            case RouteDecision.Refuse { Reason: RefusalReason.UnknownName } when device.AnswerTo(serverName, origin) is { } own:
                connection.Features.Set(new TlsRouteFeature(null, serverName, own));
                return true;
            case RouteDecision.Refuse { Reason: RefusalReason.UnknownName or RefusalReason.PortNotServed } refused:
                return await RefuseNameAsync(connection, origin, refused.Reason.ToString(), serverName);
            case RouteDecision.Refuse refused:
                return Refuse(connection, origin, refused.Reason.ToString(), serverName);
            default:
                throw new InvalidOperationException("The router gave a decision that is not known here.");
        }
    }

    private async ValueTask<bool> RefuseNameAsync(ConnectionContext connection, IConnectionOriginFeature origin, string reason, string? serverName)
    {
        if (connection is LazySocketConnection { IsUntouched: true } raw)
        {
            TlsAlert.SendUnrecognizedName(raw.Socket);
            return Refuse(connection, origin, reason, serverName);
        }
        // What was peeked is consumed: unread bytes would turn the close into a reset, which can overtake the alert.
        if (connection.Transport.Input.TryRead(out var peeked)) connection.Transport.Input.AdvanceTo(peeked.Buffer.End);
        await TlsAlert.SendUnrecognizedNameAsync(connection.Transport.Output);
        return Refuse(connection, origin, reason, serverName);
    }

    private bool Refuse(ConnectionContext connection, IConnectionOriginFeature origin, string reason, string? serverName)
    {
        metrics.Refused(reason);
        logger.ConnectionRefused(connection.ConnectionId, reason, serverName, origin.PublicPort, origin.Origin);
        return false;
    }
}
