using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Tunnel;

/// <summary>Configuration section <c>Piccolo:Nexus</c>: how the tunnel behaves towards any relay. Which relay to use is set in the portal, not here.</summary>
public sealed class TunnelOptions
{
    public const string Section = "Piccolo:Nexus";

    private const string Second = "00:00:01";
    private const string Hour = "01:00:00";

    /// <summary>PEM file of roots trusted for the relay's certificate, in addition to the system's.</summary>
    public string? TrustedRootsFile { get; set; }

    /// <summary>Allows <c>ws://</c> to a loopback host, for tests.</summary>
    public bool AllowInsecureLoopback { get; set; }

    /// <summary>Keeps loopback and private client addresses that the relay reports. For development, where users are on loopback.</summary>
    public bool AllowPrivateClientAddresses { get; set; }

    /// <summary>The name of this device in the relay's log (claim <c>sub</c>).</summary>
    [Required, StringLength(64, MinimumLength = 1)]
    public string Name { get; set; } = "piccolo";

    /// <summary>How long a token sent to the relay is valid.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:05:00")]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How old a handshake token may be when the relay reads it.</summary>
    [Range(typeof(TimeSpan), Second, "00:05:00")]
    public TimeSpan HandshakeMaxAge { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the relay asks this device to authenticate again. Zero: never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "24:00:00")]
    public TimeSpan ReauthInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the relay waits for the answer. Zero: the relay's own 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ReauthGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Limit for name resolution, TCP, TLS and the WebSocket upgrade together.</summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan DialTimeout { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>How long to wait for the relay's challenge.</summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan ChallengeTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long to wait for the acknowledgement after the last token. Must exceed the two keep-alive times together: a relay too old to acknowledge has then
    /// answered a ping, which it does for accepted sessions only.
    /// </summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan AcknowledgeTimeout { get; set; } = TimeSpan.FromSeconds(16);

    /// <summary>WebSocket ping period.</summary>
    [Range(typeof(TimeSpan), Second, "00:00:50")]
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the answer to a ping may take before the session counts as lost.</summary>
    [Range(typeof(TimeSpan), Second, "00:01:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the relay may take to accept one message.</summary>
    [Range(typeof(TimeSpan), Second, "00:02:00")]
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Ceiling of the first pause after a failure. It doubles with each further failure; the pause itself is random below it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", Hour)]
    public TimeSpan ReconnectBase { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Ceiling of all pauses.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", Hour)]
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a session must have lived before the pauses start small again.</summary>
    [Range(typeof(TimeSpan), "00:00:00", Hour)]
    public TimeSpan StableAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the list of names must be unchanged before a session is opened for it, so that ten apps installed together are one change, or a few.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:30")]
    public TimeSpan HostnameDebounce { get; set; } = TimeSpan.FromSeconds(0.15);

    /// <summary>How long to wait for a list of names that keeps changing.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan HostnameDebounceMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the streams of a replaced session may go on.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "24:00:00")]
    public TimeSpan ReplacedSessionDrain { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long a replaced session stays open without a stream. Until it is closed, the relay goes on choosing it for a part of the new users; one chosen
    /// at the moment of the close is lost, such as a CA that validates a name that has just been added.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan ReplacedSessionQuiet { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long streams may go on when the process stops, or when a relay that was configured anew refuses.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan StopDrain { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the end of a stream may take to reach the user before the stream is closed anyway.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan StreamDrain { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long to wait for the relay to confirm that a stream's last messages reached the user, while that relay has never confirmed any. A relay that has is
    /// given all of <see cref="StreamDrain"/>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan TailConfirmation { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often the round trip to the relay is measured.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", Hour)]
    public TimeSpan MeasureInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the relay may take to answer after the network changed or the machine slept.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan WakePatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the wall clock is compared with the monotonic one, which stands still while the machine sleeps.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan ClockCheck { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How far the two clocks may drift apart between two comparisons.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", Hour)]
    public TimeSpan ClockTolerance { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the network must be quiet after a change before the change counts.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan NetworkDebounce { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>After this long without data, the relay is asked whether it still knows a stream. Zero: never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", Hour)]
    public TimeSpan StreamIdle { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How often idle streams are looked for; near a limit every second at most, for streams without data for as long. Three missing answers end a stream.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan StreamPong { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Streams per session.</summary>
    [Range(1, 65_536)]
    public int MaxStreams { get; set; } = 1024;

    /// <summary>Streams per client address (IPv6: per /64) over all sessions. A school or an office is one address.</summary>
    [Range(1, 65_536)]
    public int MaxStreamsPerAddress { get; set; } = 512;

    /// <summary>Streams that wait for the ingress to accept them. Fewer than <see cref="MaxStreams"/> would refuse users in a burst for no reason.</summary>
    [Range(1, 65_536)]
    public int AcceptBacklog { get; set; } = 1024;

    /// <summary>Bytes that all streams of one session together may hold for apps that do not read.</summary>
    [Range(1_048_576, 1_073_741_824)]
    public long MaxBufferedBytes { get; set; } = 64 * 1024 * 1024;
}

/// <summary>What no single value shows.</summary>
/// <param name="environment">Null where there is no host, as in tests of parts.</param>
internal sealed class TunnelOptionsValidator(IHostEnvironment? environment) : IValidateOptions<TunnelOptions>
{
    public ValidateOptionsResult Validate(string? name, TunnelOptions options)
    {
        var problems = new List<string>();
        if (options.AllowInsecureLoopback && environment?.IsDevelopment() == false)
            problems.Add(
                $"{TunnelOptions.Section}:{nameof(options.AllowInsecureLoopback)} is for Development only: the device secret must not travel in clear.");
        if (options.ReconnectMax < options.ReconnectBase)
            problems.Add($"{TunnelOptions.Section}:{nameof(options.ReconnectMax)} must not be less than {nameof(options.ReconnectBase)}.");
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
