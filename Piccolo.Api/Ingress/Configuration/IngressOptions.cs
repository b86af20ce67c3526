using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Piccolo.Api.Ingress.Configuration;

/// <summary>The front door's settings, section <c>Piccolo:Ingress</c>.</summary>
internal sealed class IngressOptions
{
    public const string Section = "Piccolo:Ingress";

    /// <summary>As a port: any that is free. For tests.</summary>
    public const int AnyFreePort = -1;

    /// <value>Portal and API on the LAN in clear text, HTTP-01, redirects. Default 80; 0 is off.</value>
    [Range(AnyFreePort, 65535)]
    public int HttpPort { get; set; } = 80;

    /// <value>TLS from the LAN or a forwarding router. Default 443; 0 is off.</value>
    [Range(AnyFreePort, 65535)]
    public int HttpsPort { get; set; } = 443;

    /// <value><c>any</c> (default), <c>loopback</c>, or one address of this host. For the two ports above and the LAN ports of apps.</value>
    [Required]
    public string ListenAddress { get; set; } = "any";

    /// <value>More names under which portal and API answer. Default none.</value>
    public IList<string> AllowedHosts { get; } = [];

    /// <value>
    /// Whether apps answer on their LAN ports under any name. Default false: a page that leads its own name to this host (DNS rebinding) could read every app
    /// without a login.
    /// </value>
    public bool AnyHostOnLanPorts { get; set; }

    /// <value>Who may reach the portal in clear text and the LAN ports of apps, as CIDR networks. Default: the connected networks.</value>
    public IList<string> AllowedNetworks { get; } = [];

    /// <value>Open connections of all kinds at one time. Default 8192.</value>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 8192;

    /// <value>How many of them only this machine and its LAN may have, and only at our own two ports: a quarter of all at most. Default 256.</value>
    [Range(0, 1_000_000)]
    public int ReservedConnections { get; set; } = 256;

    /// <value>Open connections from one address at one time (of IPv6: from one /64), this machine's own excepted. Default 1024.</value>
    [Range(1, 1_000_000)]
    public int MaxConnectionsPerAddress { get; set; } = 1024;

    /// <value>Requests and spliced connections to apps at one time, of all clients together; more are refused. Default 4096.</value>
    [Range(1, 1_000_000)]
    public int MaxAppConnections { get; set; } = 4096;

    /// <value>Requests at one time on one connection of HTTP/2; a client holds back more by itself. Default 50.</value>
    [Range(1, 1000)]
    public int MaxStreamsPerConnection { get; set; } = 50;

    /// <value>TLS handshakes that run at one time; more are refused. Default 1024.</value>
    [Range(1, 1_000_000)]
    public int MaxHandshakes { get; set; } = 1024;

    /// <value>How many of them one address may have (of IPv6: one /64; all clients whose address is unknown are one). Default 256.</value>
    [Range(1, 1_000_000)]
    public int MaxHandshakesPerAddress { get; set; } = 256;

    /// <value>How long a client may take none of what is sent to it; each byte that it takes begins the time anew. Default 5 min.</value>
    [Range(typeof(TimeSpan), "00:00:02", "1.00:00:00")]
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <value>After this long without a byte of a client the kernel asks whether it is still there (tcp(7), TCP_KEEPIDLE). Default 2 min.</value>
    [Range(typeof(TimeSpan), "00:00:01", "02:00:00")]
    public TimeSpan KeepAliveProbeTime { get; set; } = TimeSpan.FromMinutes(2);

    /// <value>How long until it asks again; who has not answered for <see cref="SendTimeout"/> has gone. Default 30 s.</value>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan KeepAliveProbeInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <value>Connections of which the ClientHello is still awaited. Default 2048.</value>
    [Range(1, 1_000_000)]
    public int MaxWaitingPeeks { get; set; } = 2048;

    /// <value>How many of them one address may have, counted as for handshakes. Default 512.</value>
    [Range(1, 1_000_000)]
    public int MaxWaitingPeeksPerAddress { get; set; } = 512;

    /// <value>How long a client may stay silent at first, to a quarter of a second. Default 10 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekFirstByteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>How long it may pause within its ClientHello, to a quarter of a second. Default 5 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekIdleTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <value>How long the whole ClientHello may take, to a quarter of a second. Default 20 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekTotalTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <value>How long the TLS handshake may take once the ClientHello is there. Default 10 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>How long an app may take to accept a connection. Default 5 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <value>After this long without a byte in either direction a spliced connection ends. Default 2 h.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "7.00:00:00")]
    public TimeSpan SpliceIdleTimeout { get; set; } = TimeSpan.FromHours(2);

    /// <value>After this long without a byte in either direction a forwarded request or WebSocket ends. Default 2 h.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "7.00:00:00")]
    public TimeSpan ForwardIdleTimeout { get; set; } = TimeSpan.FromHours(2);

    /// <value>Requests that one listener's app is sent at a time, WebSockets included; more are answered with 503. Default 256.</value>
    [Range(1, 100_000)]
    public int MaxRequestsPerListener { get; set; } = 256;

    /// <summary>Which proxies in front of this device may say who the client is.</summary>
    public ProxyProtocolOptions ProxyProtocol { get; } = new();

    /// <summary>Which requests leave a line in the log.</summary>
    public AccessLogOptions AccessLog { get; } = new();

    /// <value>How often it is tried whether apps answer. Default 15 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <value>How soon an app that did not answer is tried again. Default 2 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan ProbeRetry { get; set; } = TimeSpan.FromSeconds(2);

    /// <value>How long an app may take to answer a probe. Default 3 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <value>How long a LAN port that a stranger has taken is tried before another is chosen. Default 60 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan BusyPortPatience { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Connections that anybody may have.</summary>
    internal int UnreservedConnections => MaxConnections - Math.Min(ReservedConnections, MaxConnections / 4);

    /// <summary>How long a ClientHello may still be awaited; nothing or less when it has taken too long.</summary>
    /// <param name="elapsed">Since it was first awaited.</param>
    /// <param name="silent">How long ago the last byte came, if one has.</param>
    internal TimeSpan PeekLeft(TimeSpan elapsed, bool hasBegun, TimeSpan silent)
    {
        if (!hasBegun) return PeekFirstByteTimeout - elapsed;
        var (total, idle) = (PeekTotalTimeout - elapsed, PeekIdleTimeout - silent);
        return total < idle ? total : idle;
    }

    /// <summary>What <see cref="ListenAddress"/> means; null when it is no address.</summary>
    internal IPAddress[]? ParseListenAddress() => ListenAddress.ToLowerInvariant() switch
    {
        "any" or "*" => [IPAddress.IPv6Any],
        "loopback" or "localhost" => [IPAddress.Loopback, IPAddress.IPv6Loopback],
        var text => IPAddress.TryParse(text, out var address) ? [address] : null,
    };
}

/// <summary>Section <c>Piccolo:Ingress:ProxyProtocol</c>.</summary>
internal sealed class ProxyProtocolOptions
{
    /// <value>Addresses or networks whose connections to our HTTP and HTTPS ports begin with a PROXY header of version 2, and must. Default none.</value>
    public IList<string> TrustedSources { get; } = [];

    /// <summary>A network, or an address as the network of its own; null for anything else.</summary>
    internal static IPNetwork? ParseSource(string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        return IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8) : null;
    }
}

/// <summary>Section <c>Piccolo:Ingress:AccessLog</c>.</summary>
internal sealed class AccessLogOptions
{
    /// <value>Requests to portal and API. Default true.</value>
    public bool Portal { get; set; } = true;

    /// <value>Requests to apps: what their users look at is nobody's business by default. Default false.</value>
    public bool Apps { get; set; }
}
