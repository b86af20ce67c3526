using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Tls;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>The connection middleware of one endpoint, outermost first.</summary>
internal sealed class ConnectionPipeline(ListenOptions listen, IServiceProvider services)
{
    /// <param name="own">Arguments of the constructor after the next step; the container has the others.</param>
    public ConnectionPipeline Use<TMiddleware>(params object[] own) where TMiddleware : IConnectionMiddleware
    {
        listen.Use(next => ActivatorUtilities.CreateInstance<TMiddleware>(services, [next, .. own]).OnConnectionAsync);
        return this;
    }

    /// <summary>From the handshake on. Origin, route and certificate are features of the connection by then.</summary>
    public ConnectionPipeline UseTls(IngressOptions options)
    {
        Use<HandshakeGateMiddleware>();
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = services.GetRequiredService<ServerCertificateSelector>().OnHandshakeAsync,
            HandshakeTimeout = options.HandshakeTimeout,
        });
        return Use<TerminatedConnectionMiddleware>();
    }
}
