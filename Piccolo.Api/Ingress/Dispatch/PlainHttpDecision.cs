using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress.Dispatch;

/// <summary>What a request in clear text on port 80 gets.</summary>
internal enum PlainHttpResponse
{
    /// <summary>On to API and portal.</summary>
    Portal,

    /// <summary>308 to the same under https.</summary>
    Redirect,

    /// <summary>503: the certificate is not there yet.</summary>
    NotReady,

    /// <summary>404: the name is ours, but offers nothing here.</summary>
    NotServed,

    /// <summary>421: the name is not ours.</summary>
    Misdirected,

    /// <summary>403: the client's network may not reach the portal.</summary>
    NetworkRefused,
}

/// <summary>The rules of clear text, as a pure function (flow × protocol × port: ADR 0004).</summary>
internal static class PlainHttpDecision
{
    /// <param name="route">Of the requested host; null when it has none.</param>
    /// <param name="hasCertificate">Whether TLS for that host can be answered now.</param>
    /// <param name="hostAllowed">Whether the host is one of the portal's names on the LAN.</param>
    public static PlainHttpResponse Decide(Route? route, bool hasCertificate, bool hostAllowed, IConnectionOriginFeature origin)
    {
        var isLocal = origin is { Origin: not (ConnectionOrigin.Tunnel or ConnectionOrigin.Container) };
        return route switch
        {
            // On the LAN the portal's public name serves too: with a split-horizon DNS it leads here without the relay.
            Route.Portal when isLocal && origin.IsAllowedNetwork => PlainHttpResponse.Portal,
            Route.Portal => hasCertificate ? PlainHttpResponse.Redirect : PlainHttpResponse.NotReady,
            Route.App { Listener.Definition: { IsHttp: true } definition } when Redirects(definition) =>
                hasCertificate ? PlainHttpResponse.Redirect : PlainHttpResponse.NotReady,
            // The leader has the certificate; whether we have one too says nothing.
            Route.Leader { Listener.Definition: { IsHttp: true } definition } when Redirects(definition) => PlainHttpResponse.Redirect,
            not null => PlainHttpResponse.NotServed,
            null when origin.Origin == ConnectionOrigin.Container => PlainHttpResponse.NetworkRefused,
            null when !isLocal || !hostAllowed => PlainHttpResponse.Misdirected,
            null => origin.IsAllowedNetwork ? PlainHttpResponse.Portal : PlainHttpResponse.NetworkRefused,
        };
    }

    /// <summary>Where a redirect leads: port 443 if the name answers there, else the first port that speaks TLS.</summary>
    public static int HttpsPortOf(Route route) =>
        route.Ports.Contains(ListenerDefinition.HttpsPort) ? ListenerDefinition.HttpsPort : route.Ports.FirstOrDefault(p => p != ListenerDefinition.HttpPort);

    private static bool Redirects(ListenerDefinition definition) =>
        definition.RemotePorts.Contains(ListenerDefinition.HttpPort) && definition.RemotePorts.Any(p => p != ListenerDefinition.HttpPort);
}
