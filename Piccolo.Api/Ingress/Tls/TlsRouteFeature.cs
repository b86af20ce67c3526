using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Certificates.Serving;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>On a connection whose TLS ends here: what its ClientHello asked for and which certificate answers. Fixed for the connection's life.</summary>
/// <param name="Route">Null when the device answers for itself, under no public name and with its own certificate.</param>
/// <param name="ServerName">The name that was asked for.</param>
internal sealed record TlsRouteFeature(Route? Route, string? ServerName, ServerCertificateBundle Bundle)
{
    /// <summary>Under which name traffic is counted.</summary>
    public string Label => Route switch
    {
        Route.App app => app.Listener.Name,
        null => ListenerTraffic.Device,
        _ => ListenerTraffic.Portal,
    };

    /// <summary>The handshake itself is the answer to a CA's challenge; nothing is served after it (RFC 8737, 3).</summary>
    public bool IsChallenge { get; init; }
}
