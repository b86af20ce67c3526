using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Piccolo.Api.Ingress.Configuration;

/// <summary>Configuration section <c>Piccolo:Ingress</c>: ports, limits and timeouts of the front door.</summary>
internal sealed class IngressOptions
{
    public const string Section = "Piccolo:Ingress";

    /// <summary>As a port: any that is free. For tests.</summary>
    public const int AnyFreePort = -1;

    /// <summary>Portal and API on the LAN in clear text, HTTP-01, redirects. 0: off.</summary>
    [Range(AnyFreePort, 65535)]
    public int HttpPort { get; set; } = 80;

    /// <summary>
    /// TLS from the LAN or a forwarding router. 0: off. A router that forwards 443 publishes the login too: under the device's own certificate, portal and API
    /// answer all networks.
    /// </summary>
    [Range(AnyFreePort, 65535)]
    public int HttpsPort { get; set; } = 443;

    /// <summary><c>any</c>, <c>loopback</c>, or one address of this host. Applies to the two ports above and to the LAN ports of apps.</summary>
    [Required]
    public string ListenAddress { get; set; } = "any";

    /// <summary>More names for portal and API, in addition to this host's addresses, <c>localhost</c>, <c>*.local</c> and the portal's name.</summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// Whether apps answer on their LAN ports under any name. Where it is false, other names get 421, so that a web page cannot lead its own name to this host
    /// (DNS rebinding) and read apps without a login.
    /// </summary>
    public bool AnyHostOnLanPorts { get; set; }

    /// <summary>Networks (CIDR) that may reach the plain portal and the LAN ports of apps. Empty: the connected networks.</summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>
    /// Open connections on all ports and the tunnel together. Further ones are refused and counted. If the file-descriptor limit is below about twice this
    /// number, it is reduced to fit and a warning is logged.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 8192;

    /// <summary>Connections kept for this machine and its LAN at the two ports above, half at each; at most a quarter of all.</summary>
    [Range(0, 1_000_000)]
    public int ReservedConnections { get; set; } = 256;

    /// <summary>Open connections from one address (IPv6: from one /64). This machine's own are not counted.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnectionsPerAddress { get; set; } = 1024;

    /// <summary>
    /// Requests and spliced connections to apps at one time, of all clients together. Further requests get 503, further connections are closed. Reduced as
    /// <c>MaxConnections</c> is.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxAppConnections { get; set; } = 4096;

    /// <summary>Requests at one time on one HTTP/2 connection.</summary>
    [Range(1, 1000)]
    public int MaxStreamsPerConnection { get; set; } = 50;

    /// <summary>TLS handshakes in progress. Further ones are refused and counted.</summary>
    [Range(1, 1_000_000)]
    public int MaxHandshakes { get; set; } = 1024;

    /// <summary>TLS handshakes in progress from one address (IPv6: one /64; all clients whose address is unknown are one).</summary>
    [Range(1, 1_000_000)]
    public int MaxHandshakesPerAddress { get; set; } = 256;

    /// <summary>
    /// How long a client may accept none of the data sent to it. Over HTTP it has as long for each write: for at most 64 KiB that wait for it. In a connection
    /// that is passed through, each byte that it accepts starts the time anew.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:02", "1.00:00:00")]
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>After this long without a byte from a client, the kernel asks whether it is still there (tcp(7), TCP_KEEPIDLE).</summary>
    [Range(typeof(TimeSpan), "00:00:01", "02:00:00")]
    public TimeSpan KeepAliveProbeTime { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long until the kernel asks again. A client that has not answered for <see cref="SendTimeout"/> is disconnected.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan KeepAliveProbeInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Connections still waiting for a ClientHello. Further ones are refused and counted.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaitingPeeks { get; set; } = 2048;

    /// <summary>Connections still waiting for a ClientHello from one address, counted as for handshakes.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaitingPeeksPerAddress { get; set; } = 512;

    /// <summary>How long a client may take to send its first byte. Measured in steps of 0.25 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekFirstByteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a client may pause within its ClientHello. Measured in steps of 0.25 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekIdleTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the whole ClientHello may take. Measured in steps of 0.25 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekTotalTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the TLS handshake may take after the ClientHello.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an app may take to accept a connection.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After this long without a byte in either direction, a spliced connection ends.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "7.00:00:00")]
    public TimeSpan SpliceIdleTimeout { get; set; } = TimeSpan.FromHours(2);

    /// <summary>After this long without a byte in either direction, a forwarded request or WebSocket ends.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "7.00:00:00")]
    public TimeSpan ForwardIdleTimeout { get; set; } = TimeSpan.FromHours(2);

    /// <summary>Requests sent to one listener's app at a time, WebSockets included. Further ones are answered with 503 <c>app_busy</c>.</summary>
    [Range(1, 100_000)]
    public int MaxRequestsPerListener { get; set; } = 256;

    /// <summary>Which proxies in front of this device may say who the client is.</summary>
    public ProxyProtocolOptions ProxyProtocol { get; } = new();

    /// <summary>Which requests leave a line in the log.</summary>
    public AccessLogOptions AccessLog { get; } = new();

    /// <summary>How often an app that answers is checked.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How soon an app that did not answer is checked again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan ProbeRetry { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an app may take to answer a check.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long to retry a LAN port held by another program before permanently choosing a different one.</summary>
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
    /// <summary>
    /// Addresses or networks of proxies in front of this device. Connections from these sources to the HTTP and HTTPS ports must start with a PROXY v2 header
    /// or they are refused. The header can lower the trust level, never raise it. Never read on the tunnel.
    /// </summary>
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
    /// <summary>Logs one line per request to portal and API: who, method, path without query, status, time.</summary>
    public bool Portal { get; set; } = true;

    /// <summary>The same for requests to apps.</summary>
    public bool Apps { get; set; }
}
