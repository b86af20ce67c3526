using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Api.Ingress.Transports.LanPorts;
using Piccolo.Api.Ingress.Transports.PlainPort;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>
/// Gives Kestrel every endpoint: our two ports, the LAN ports of apps, the relay's streams. Each lists its connection middleware, outermost first.
/// </summary>
internal sealed class IngressKestrelSetup(IOptions<IngressOptions> options, IServiceProvider services) : IConfigureOptions<KestrelServerOptions>
{
    /// <summary>For <see cref="AdmissionMiddleware"/>: a connection that did not come through a port of the device.</summary>
    private const int NoOwnPort = 0;

    public void Configure(KestrelServerOptions kestrel)
    {
        var ingress = options.Value;
        kestrel.AddServerHeader = false;
        // Kept strings would be tokens and cookies that outlive their request.
        kestrel.DisableStringReuse = true;
        // What is not ASCII goes through byte by byte: it is the app's and its client's to agree on what it means.
        kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;

        Listen(kestrel, ingress, ingress.HttpPort, listen => On(listen, HttpProtocols.Http1)
            .Use<ConnectionOriginMiddleware>(ListenerDefinition.HttpPort)
            .Use<AdmissionMiddleware>(ListenerDefinition.HttpPort));
        // The port's own sockets were admitted and their ClientHello was read before Kestrel got them.
        ListenTls(kestrel, ingress, listen => On(listen, HttpProtocols.Http1AndHttp2)
            .UseTls(ingress));
        kestrel.Listen(new LanAppsEndPoint(LanTraffic.Http), listen => On(listen, HttpProtocols.Http1)
            .Use<LanAppConnectionMiddleware>());
        kestrel.Listen(new LanAppsEndPoint(LanTraffic.Http2), listen => On(listen, HttpProtocols.Http2)
            .Use<LanAppConnectionMiddleware>());
        kestrel.Listen(new TunnelEndPoint(TunnelTraffic.Plain), listen => On(listen, HttpProtocols.Http1)
            .Use<AdmissionMiddleware>(NoOwnPort));
        kestrel.Listen(new TunnelEndPoint(TunnelTraffic.Tls), listen => On(listen, HttpProtocols.Http1AndHttp2)
            .Use<AdmissionMiddleware>(NoOwnPort)
            .Use<ClientHelloPeekMiddleware>()
            .UseTls(ingress));
    }

    private ConnectionPipeline On(ListenOptions listen, HttpProtocols protocols)
    {
        listen.Protocols = protocols;
        return new ConnectionPipeline(listen, services);
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
}
