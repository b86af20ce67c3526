using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Tunnel;

/// <summary>Configuration section <c>Piccolo:Nexus</c>: how the tunnel behaves towards any relay. Which relay, is the owner's setting and not here.</summary>
public sealed class NexusOptions
{
    public const string Section = "Piccolo:Nexus";

    private const string Second = "00:00:01";
    private const string Hour = "01:00:00";

    /// <summary>PEM bundle of roots trusted for the relay's hub certificate beside the system's. Default none.</summary>
    public string? TrustedRootsFile { get; set; }

    /// <summary>Allows <c>ws://</c> to a loopback host, for tests. Default false.</summary>
    public bool AllowInsecureLoopback { get; set; }

    /// <summary>Keeps loopback and private client addresses that the relay tells. For development, where users are on loopback. Default false.</summary>
    public bool AllowPrivateClientAddresses { get; set; }

    /// <summary>The name of this device in the relay's log (claim <c>sub</c>). Default <c>piccolo</c>.</summary>
    [Required, StringLength(64, MinimumLength = 1)]
    public string Name { get; set; } = "piccolo";

    /// <summary>How long a token is valid. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:05:00")]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How old a handshake token may be when the relay reads it. Default 10 s.</summary>
    [Range(typeof(TimeSpan), Second, "00:05:00")]
    public TimeSpan HandshakeMaxAge { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the relay asks us to authenticate again; zero is never. Default 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "24:00:00")]
    public TimeSpan ReauthInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the relay waits for our answer; zero leaves its own 10 s. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ReauthGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Name resolution, TCP, TLS and the upgrade together. One that hangs when the relay comes back costs all of this. Default 8 s.</summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan DialTimeout { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>How long to wait for the relay's challenge. Default 15 s.</summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan ChallengeTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long to wait for the acknowledgement after the last token. Must exceed the two keep-alive times together: a relay too old to answer has then answered
    /// a ping, which it does for accepted sessions only. Default 16 s.
    /// </summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan AcknowledgeTimeout { get; set; } = TimeSpan.FromSeconds(16);

    /// <summary>WebSocket ping period. Default 5 s.</summary>
    [Range(typeof(TimeSpan), Second, "00:00:50")]
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an answer to a ping may take before the session counts as lost. Default 10 s.</summary>
    [Range(typeof(TimeSpan), Second, "00:01:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the relay may take to accept one message from us. Default 10 s.</summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Ceiling of the first pause after a failure; doubled with further ones, the pause itself is random below it. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", Hour)]
    public TimeSpan ReconnectBase { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Ceiling of all pauses. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", Hour)]
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a session must have lived for the pauses to start small again. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", Hour)]
    public TimeSpan StableAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the names must have been quiet before a new session is opened for them: ten apps that are installed are one change, or a few. Default 0.15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:30")]
    public TimeSpan HostnameDebounce { get; set; } = TimeSpan.FromSeconds(0.15);

    /// <summary>How long names that never become quiet are waited for. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan HostnameDebounceMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long streams of a session that was replaced may go on. Default 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "24:00:00")]
    public TimeSpan ReplacedSessionDrain { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long streams may go on when the process stops, or when a relay that was set anew says no. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan StopDrain { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the end of a stream may take to reach the user before the stream is closed all the same. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan StreamDrain { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long to wait for a relay's word that the last messages of a stream have reached the user, while that relay has never given it. One that has is
    /// given all of <see cref="StreamDrain"/>. Default 2 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan TailConfirmation { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often the way to the relay and back is measured. Default 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", Hour)]
    public TimeSpan MeasureInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the relay may take to give a sign of life after the network changed or the machine slept. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan WakePatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the wall clock is held against the monotonic one, which stands still while the machine sleeps. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan ClockCheck { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How far the two clocks may part between two looks. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", Hour)]
    public TimeSpan ClockTolerance { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the network must have been quiet after a change before it counts. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan NetworkDebounce { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>After how long without data the relay is asked whether it still knows a stream; zero is never. Default 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00", Hour)]
    public TimeSpan StreamIdle { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How often it is looked for such streams, and after how long without data near a limit the relay is asked. Three answers that fail to come end the stream.
    /// Default 2 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan StreamPong { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Streams per session. Default 1024.</summary>
    [Range(1, 65_536)]
    public int MaxStreams { get; set; } = 1024;

    /// <summary>Streams per client address (IPv6: per /64) over all sessions. A school or an office is one address. Default 512.</summary>
    [Range(1, 65_536)]
    public int MaxStreamsPerAddress { get; set; } = 512;

    /// <summary>Streams that wait to be accepted by the ingress. Fewer than <see cref="MaxStreams"/> would refuse users in a burst for no reason. Default 1024.</summary>
    [Range(1, 65_536)]
    public int AcceptBacklog { get; set; } = 1024;

    /// <summary>What all streams of one session together may hold for apps that do not read. Default 64 MiB.</summary>
    [Range(1_048_576, 1_073_741_824)]
    public long MaxBufferedBytes { get; set; } = 64 * 1024 * 1024;
}
