using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Api.Ingress.Transports.LanPorts;
using Piccolo.Api.Ingress.Transports.PlainPort;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>Gives Kestrel every endpoint: our two ports, the LAN ports of apps, the relay's streams. Each names its connection middleware in order.</summary>
internal sealed class IngressKestrelSetup(IOptions<IngressOptions> options, IServiceProvider services) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions kestrel)
    {
        var ingress = options.Value;
        kestrel.AddServerHeader = false;
        // Kept strings would be tokens and cookies that outlive their request.
        kestrel.DisableStringReuse = true;
        // What is not ASCII goes through byte by byte: it is the app's and its client's to agree on what it means.
        kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;

        Listen(kestrel, ingress, ingress.HttpPort, listen => Origin(Http1(listen), ListenerDefinition.HttpPort));
        ListenTls(kestrel, ingress, Tls);
        kestrel.Listen(new LanAppsEndPoint(LanTraffic.Http), listen => Use<LanAppConnectionMiddleware>(Http1(listen)));
        kestrel.Listen(new LanAppsEndPoint(LanTraffic.Http2), listen => Use<LanAppConnectionMiddleware>(Http2(listen)));
        kestrel.Listen(new TunnelEndPoint(TunnelTraffic.Plain), listen => Http1(Limited(listen)));
        kestrel.Listen(new TunnelEndPoint(TunnelTraffic.Tls), listen => Tls(Peeked(Limited(listen))));
    }

    private static void Listen(KestrelServerOptions kestrel, IngressOptions ingress, int port, Action<ListenOptions> configure)
    {
        if (port == 0) return;
        var addresses = ingress.ParseListenAddress()!;
        if (addresses.Contains(IPAddress.IPv6Any)) kestrel.ListenAnyIP(Math.Max(port, 0), configure);
        // Kestrel's own loopback pair tolerates a host without IPv6, but cannot choose one free port for both families.
        else if (addresses.Length == 2 && port > 0) kestrel.ListenLocalhost(port, configure);
        else kestrel.Listen(addresses[0], Math.Max(port, 0), configure);
    }

    /// <summary>On sockets of our own, which are admitted, peeked at and decided on before Kestrel gets them.</summary>
    private static void ListenTls(KestrelServerOptions kestrel, IngressOptions ingress, Action<ListenOptions> configure)
    {
        if (ingress.HttpsPort == 0) return;
        var port = Math.Max(ingress.HttpsPort, 0);
        var addresses = ingress.ParseListenAddress()!;
        if (addresses.Contains(IPAddress.IPv6Any)) addresses = [Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any];
        // One free port cannot be chosen for both families.
        if (port == 0) addresses = addresses[..1];
        for (var i = 0; i < addresses.Length; i++) kestrel.Listen((EndPoint)new TlsPortEndPoint(addresses[i], port, isOptional: i > 0), configure);
    }

    private static ListenOptions Http1(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        return listen;
    }

    private static ListenOptions Http2(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http2;
        return listen;
    }

    private ListenOptions Origin(ListenOptions listen, int publicPort)
    {
        Use<ConnectionOriginMiddleware>(listen, publicPort);
        return Limited(listen, publicPort);
    }

    /// <param name="ownPort">80 for our own port, else 0.</param>
    private ListenOptions Limited(ListenOptions listen, int ownPort = 0)
    {
        Use<AdmissionMiddleware>(listen, ownPort);
        return listen;
    }

    private ListenOptions Peeked(ListenOptions listen)
    {
        Use<ClientHelloPeekMiddleware>(listen);
        return listen;
    }

    /// <summary>From the handshake on: origin, route and certificate are features of the connection by now.</summary>
    private void Tls(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        Use<HandshakeGateMiddleware>(listen);
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = services.GetRequiredService<ServerCertificateSelector>().OnHandshakeAsync,
            HandshakeTimeout = options.Value.HandshakeTimeout,
        });
        Use<TerminatedConnectionMiddleware>(listen);
    }

    private void Use<TMiddleware>(ListenOptions listen, params object[] own) where TMiddleware : IConnectionMiddleware =>
        listen.Use(next => ActivatorUtilities.CreateInstance<TMiddleware>(services, [next, .. own]).OnConnectionAsync);
}
