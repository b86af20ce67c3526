using System.Net;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Listeners;
using Piccolo.Core.Routing;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>What becomes of a connection, by its ClientHello.</summary>
internal abstract record TlsDecision
{
    /// <summary>Its bytes go to the app as they are.</summary>
    public sealed record PassThrough(PublishedListener Listener) : TlsDecision;

    /// <summary>Its bytes go to the leader as they are.</summary>
    public sealed record ToLeader(DnsEndPoint Leader) : TlsDecision;

    /// <summary>TLS ends here.</summary>
    public sealed record Terminate(TlsRouteFeature Route) : TlsDecision;

    /// <param name="IsToldByAlert">Whether the client gets the alert <c>unrecognized_name</c> before the end.</param>
    public sealed record Refuse(string Reason, bool IsToldByAlert = false) : TlsDecision;
}

/// <summary>Chooses route and certificate before the handshake. Thread-safe.</summary>
internal sealed class TlsDecider(RouteTableHolder routes, ServerCertificateTable certificates, TlsAlpn01Challenges challenges, DeviceCertificate device)
{
    public TlsDecision Decide(in PeekedHello hello, IConnectionOriginFeature origin)
    {
        var serverName = hello.ServerName;
        if (hello.Failure != PeekFailure.None) return new TlsDecision.Refuse(hello.Failure.ToString());

        // A CA that looks for TLS-ALPN-01 offers this one protocol and no other (RFC 8737, 3). Only while an answer is pending for the name; without one the
        // connection is as any other, so that an app behind a pass-through listener can prove its name by itself.
        if (serverName is not null && hello.Alpn is [TlsAlpn01Challenges.Protocol] && challenges.Find(serverName) is { } answer)
            return new TlsDecision.Terminate(new TlsRouteFeature(null, serverName, answer) { IsChallenge = true });
        switch (Router.DecideTls(routes.Current, serverName, origin.PublicPort))
        {
            case RouteDecision.PassThrough pass:
                return new TlsDecision.PassThrough(pass.Listener);
            case RouteDecision.ToLeader leader:
                return new TlsDecision.ToLeader(new DnsEndPoint(leader.LeaderOrigin.IdnHost, leader.LeaderOrigin.Port));
            case RouteDecision.Terminate chosen:
                // A name whose certificate is not there yet is refused as an unknown one: no other certificate may answer for it.
                return certificates.Find(serverName!) is { } bundle
                    ? new TlsDecision.Terminate(new TlsRouteFeature(chosen.Route, serverName, bundle))
                    : new TlsDecision.Refuse("NoCertificate", IsToldByAlert: true);
            case RouteDecision.Refuse { Reason: RefusalReason.UnknownName } when device.AnswerTo(serverName, origin) is { } own:
                return new TlsDecision.Terminate(new TlsRouteFeature(null, serverName, own));
            case RouteDecision.Refuse { Reason: var reason }:
                return new TlsDecision.Refuse(reason.ToString(), reason is RefusalReason.UnknownName or RefusalReason.PortNotServed);
            default:
                throw new InvalidOperationException("The router gave a decision that is not known here.");
        }
    }
}
