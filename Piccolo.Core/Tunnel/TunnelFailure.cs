namespace Piccolo.Core.Tunnel;

internal enum TunnelFailureKind
{
    /// <summary>Somebody said no: the relay, or its certificate. More of the same will hardly help.</summary>
    Refused,

    /// <summary>Nobody answered, or the session ended after it had been accepted.</summary>
    Unavailable,
}

/// <summary>Why a session did not come to be, or why it ended, in words for the owner.</summary>
internal sealed record TunnelFailure(TunnelFailureKind Kind, string Code, string Reason, string? NextStep = null)
{
    private const int MaxQuotedChars = 200;

    /// <summary>Whether the next attempt waits as long as any may.</summary>
    public bool TakesTheLongestPause { get; init; }

    public static readonly TunnelFailure DialTimeout = new(
        TunnelFailureKind.Unavailable, "unreachable", "The relay did not answer in time.", "Check the relay's address, port and firewall.");

    public static readonly TunnelFailure NoChallenge = new(
        TunnelFailureKind.Unavailable, "no_challenge", "The relay accepted the connection but sent no challenge in time.",
        "Check that the endpoint is a Nexus relay's hub.");

    public static readonly TunnelFailure BadChallenge = new(
        TunnelFailureKind.Refused, "bad_challenge", "What answered does not speak the relay's protocol.", "Check that the endpoint is a Nexus relay's hub.");

    public static readonly TunnelFailure Stalled = new(TunnelFailureKind.Unavailable, "write_timeout", "The relay stopped taking messages.");

    public static readonly TunnelFailure Flooded = new(TunnelFailureKind.Unavailable, "control_lane_full", "The relay asks faster than it takes answers.");

    public static readonly TunnelFailure TooLarge = new(
        TunnelFailureKind.Unavailable, "message_too_large", "The relay sent a message above the protocol's size.");

    public static readonly TunnelFailure Silent = new(
        TunnelFailureKind.Unavailable, "silent", "The relay gave no sign of life after the network changed or the machine slept.");

    public static readonly TunnelFailure ClosedByUs = new(TunnelFailureKind.Unavailable, "closed", "The session was closed by this device.");

    public static TunnelFailure Unreachable(string detail) => new(
        TunnelFailureKind.Unavailable, "unreachable", $"The relay cannot be reached: {Quote(detail)}",
        "Check the relay's address, port and firewall, and this device's network.");

    /// <summary>The endpoint answered the upgrade with something else.</summary>
    public static TunnelFailure NotARelay(int status) => status switch
    {
        429 => new(
            TunnelFailureKind.Unavailable, "rate_limited", "The relay asks for fewer attempts (HTTP status 429).",
            "Nothing to do: it is tried again after the longest pause.")
        { TakesTheLongestPause = true },
        // What stands before a relay that is being restarted says this.
        >= 500 => new(
            TunnelFailureKind.Unavailable, "relay_unavailable",
            $"The endpoint answered with HTTP status {status}: the relay behind it is not available.",
            "Nothing to do if the relay is being restarted."),
        _ => new(
            TunnelFailureKind.Refused, "not_a_relay", $"The endpoint answered with HTTP status {status} instead of a WebSocket.",
            "Check host, port and path of the relay's hub."),
    };

    public static TunnelFailure BadEndpoint(string detail) =>
        new(TunnelFailureKind.Refused, "bad_endpoint", detail, "Set the endpoint to wss://HOST:PORT/connect.");

    public static TunnelFailure Untrusted(string detail) => new(
        TunnelFailureKind.Refused, "certificate_untrusted", $"The relay's certificate is not trusted: {Quote(detail)}",
        "Check the endpoint's host name, the clock, or add the relay's root to the trusted roots.");

    public static TunnelFailure BadRoots(string detail) => new(
        TunnelFailureKind.Refused, "trusted_roots_unreadable", $"The file of trusted roots cannot be read: {Quote(detail)}",
        "Check Piccolo:Nexus:TrustedRootsFile.");

    /// <summary>The relay ended the connection before it acknowledged the session.</summary>
    /// <param name="closeReason">Null when it closed without a word, which it also does when its reason is too long for a close frame (RFC 6455, 5.5).</param>
    public static TunnelFailure RefusedBecause(string? closeReason)
    {
        if (string.IsNullOrWhiteSpace(closeReason))
        {
            return new TunnelFailure(
                TunnelFailureKind.Refused, "refused", "The relay closed the connection during authentication without a reason.",
                "Check the device secret and the clock; the relay's log has the cause.");
        }
        var reason = Quote(closeReason);
        return reason switch
        {
            _ when Has("signature") => new(
                TunnelFailureKind.Refused, "secret_rejected", $"The relay rejected the device secret: {reason}",
                "Enter the device secret that the relay has."),
            _ when Has("expired") || Has("exceeded handshake_max_age") || Has("not valid yet") =>
                new(TunnelFailureKind.Refused, "clock_differs", $"The relay's clock and ours differ too much: {reason}", "Set both clocks by NTP."),
            _ when Has("hostname") =>
                new(TunnelFailureKind.Refused, "names_rejected", $"The relay rejected the names: {reason}", "Check the domain and the aliases."),
            _ => new(TunnelFailureKind.Refused, "refused", $"The relay refused the session: {reason}", "The relay's log has the cause."),
        };

        bool Has(string word) => reason.Contains(word, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>An accepted session that ended by itself.</summary>
    public static TunnelFailure Lost(string? detail) =>
        new(
            TunnelFailureKind.Unavailable, "lost",
            string.IsNullOrWhiteSpace(detail) ? "The relay ended the session." : $"The session with the relay ended: {Quote(detail)}");

    /// <summary>Text from outside, fit for a log line and a page.</summary>
    private static string Quote(string text)
    {
        var plain = new string([.. text.Take(MaxQuotedChars).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c)]);
        return plain.Trim();
    }
}
