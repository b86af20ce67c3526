using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.DevRelay;

/// <summary>A public port: where the relay listens, and which port it tells backends, so that a high port can stand for 443 or 80.</summary>
public sealed record PublicPort(IPEndPoint Listen, int AdvertisedPort);

/// <summary>How a relay is set up. Only <see cref="Secret"/> has no default.</summary>
public sealed class RelayOptions
{
    /// <summary>The secret that signs the backends' tokens (HMAC), used as its raw UTF-8 bytes.</summary>
    public required string Secret { get; set; }

    /// <summary>Where backends dial in. Port 0 picks one.</summary>
    public IPEndPoint Hub { get; set; } = new(IPAddress.Loopback, 0);

    /// <summary>The hub's certificate with its key; null serves plain ws.</summary>
    public X509Certificate2? HubCertificate { get; set; }

    /// <summary>Issuers that are sent after <see cref="HubCertificate"/>.</summary>
    public X509Certificate2Collection HubChain { get; set; } = [];

    /// <summary>The host in <see cref="Relay.HubUri"/>; null uses the bound address.</summary>
    public string? HubHost { get; set; }

    /// <summary>The ports at which users knock.</summary>
    public IList<PublicPort> PublicPorts { get; set; } = [];

    /// <summary>The loopback control port (JSON over HTTP); null opens none.</summary>
    public IPEndPoint? Control { get; set; }

    /// <summary>A user is cut after this long without traffic; zero means never.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.Zero;

    /// <summary>Ports that a token may claim under <c>tcp_ports</c>.</summary>
    public ISet<int> AllowedTcpPortClaims { get; set; } = new HashSet<int>();

    /// <summary>Ports that a token may claim under <c>udp_routes</c>. They are judged and compared; this relay opens no UDP port.</summary>
    public ISet<int> AllowedUdpPortClaims { get; set; } = new HashSet<int>();

    /// <summary>Simultaneous peeks at new users; -1 means without limit.</summary>
    public int PeekLimit { get; set; } = 256;

    /// <summary>Connections at the hub, accepted or still in their handshake.</summary>
    public int HubConnectionLimit { get; set; } = 1_024;

    /// <summary>Whether a name that lost its last session hides a wildcard, as in the stock relay.</summary>
    public bool StockEmptyPools { get; set; } = true;

    public RelayClocks Clocks { get; set; } = new();

    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>The 32 bytes of a challenge's nonce.</summary>
    public Func<byte[]> Nonce { get; set; } = () => RandomNumberGenerator.GetBytes(32);

    /// <summary>The id of a new stream.</summary>
    public Func<Guid> StreamId { get; set; } = Guid.NewGuid;

    /// <summary>A number from 0 up to 1: how much of the allowed delay is added to a re-auth interval.</summary>
    public Func<double> Jitter { get; set; } = () => RandomNumberGenerator.GetInt32(1_000) / 1_000.0;

    /// <summary>Where the process records what <see cref="Transcript"/> sees; null records nothing.</summary>
    public string? TranscriptPath { get; set; }

    /// <summary>
    /// Sees every protocol message of every session in the order of sending and of receiving; called on the session's loops, so it must be quick.
    /// </summary>
    public Action<TranscriptEntry>? Transcript { get; set; }
}
