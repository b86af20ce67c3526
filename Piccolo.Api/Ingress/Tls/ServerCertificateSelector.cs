using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>
/// Answers the handshake with the certificate that the peek chose. The answer is cached per bundle, because a fresh one costs the TLS stack its context
/// and so nearly twice the CPU (ADR 0005).
/// </summary>
internal sealed class ServerCertificateSelector
{
    private readonly ConditionalWeakTable<ServerCertificateBundle, Answers> _answers = [];

    /// <summary>The handshake callback.</summary>
    public ValueTask<SslServerAuthenticationOptions> OnHandshakeAsync(TlsHandshakeCallbackContext handshake)
    {
        var chosen = handshake.Connection.Features.GetRequiredFeature<TlsRouteFeature>();
        var answers = _answers.GetValue(chosen.Bundle, static bundle => new Answers(bundle));
        return ValueTask.FromResult(chosen.IsChallenge ? answers.Challenge : SpeaksHttp(chosen.Route) ? answers.Http : answers.Raw);
    }

    /// <summary>Whether requests, and not just bytes, are behind the TLS that ends here.</summary>
    public static bool SpeaksHttp(Route? route) => route is not Route.App { Listener.Definition.IsHttp: false };

    private sealed class Answers(ServerCertificateBundle bundle)
    {
        public SslServerAuthenticationOptions Http { get; } = Create(bundle, [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]);

        // An empty list is no answer to ALPN; null would let Kestrel fill in its own.
        public SslServerAuthenticationOptions Raw { get; } = Create(bundle, []);

        public SslServerAuthenticationOptions Challenge { get; } = Create(bundle, [new SslApplicationProtocol(TlsAlpn01Challenges.Protocol)]);

        private static SslServerAuthenticationOptions Create(ServerCertificateBundle bundle, List<SslApplicationProtocol> protocols) => new()
        {
            ServerCertificateContext = bundle.Context,
            ApplicationProtocols = protocols,
#pragma warning disable CA5398 // the floor is a promise of ours: the system's default may be lower
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
            AllowRenegotiation = false,
            ClientCertificateRequired = false,
        };
    }
}
