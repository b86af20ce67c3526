using System.Net;

namespace Piccolo.Api.Ingress.Configuration;

/// <summary>What is spoken on a LAN port of an app.</summary>
internal enum LanTraffic
{
    /// <summary>HTTP/1.1. What is not HTTP never gets to an endpoint: it is passed through as it is accepted.</summary>
    Http,

    /// <summary>HTTP/2 in clear text with prior knowledge: gRPC. Without ALPN one Kestrel endpoint cannot serve both.</summary>
    Http2,
}

/// <summary>All LAN ports of all apps, as one endpoint of Kestrel's: the sockets behind it come and go.</summary>
internal sealed class LanAppsEndPoint(LanTraffic traffic) : EndPoint
{
    public LanTraffic Traffic { get; } = traffic;

    public override string ToString() => $"lan-apps.{Traffic}".ToLowerInvariant();
}

/// <summary>What a stream of the relay is expected to carry.</summary>
internal enum TunnelTraffic
{
    Plain,
    Tls,
}

/// <summary>The relay's streams of one kind, as an endpoint of Kestrel's.</summary>
internal sealed class TunnelEndPoint(TunnelTraffic traffic) : EndPoint
{
    public TunnelTraffic Traffic { get; } = traffic;

    public override string ToString() => Traffic == TunnelTraffic.Tls ? "tunnel.tls" : "tunnel.http";
}

/// <summary>An address of our own port for TLS: an ordinary one, but bound by a factory of our own.</summary>
/// <param name="isOptional">Whether a host that does not have the address goes without it: [::1] where IPv6 is switched off.</param>
internal sealed class TlsPortEndPoint(IPAddress address, int port, bool isOptional = false) : IPEndPoint(address, port)
{
    public bool IsOptional { get; } = isOptional;
}
