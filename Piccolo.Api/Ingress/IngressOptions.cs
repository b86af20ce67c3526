using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Piccolo.Api.Ingress;

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

    /// <value>Who may reach the portal in clear text and the LAN ports of apps, as CIDR networks. Default: the connected networks.</value>
    public IList<string> AllowedNetworks { get; } = [];

    /// <value>Open connections of all kinds at one time. Default 8192.</value>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 8192;

    /// <value>Connections of which the ClientHello is still awaited. Default 2048.</value>
    [Range(1, 1_000_000)]
    public int MaxWaitingPeeks { get; set; } = 2048;

    /// <value>How long a client may stay silent at first. Default 10 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekFirstByteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>How long it may pause within its ClientHello. Default 5 s.</value>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan PeekIdleTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <value>How long the whole ClientHello may take. Default 20 s.</value>
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

    /// <summary>What <see cref="ListenAddress"/> means; null when it is no address.</summary>
    internal IPAddress[]? ParseListenAddress() => ListenAddress.ToLowerInvariant() switch
    {
        "any" or "*" => [IPAddress.IPv6Any],
        "loopback" or "localhost" => [IPAddress.Loopback, IPAddress.IPv6Loopback],
        var text => IPAddress.TryParse(text, out var address) ? [address] : null,
    };
}
