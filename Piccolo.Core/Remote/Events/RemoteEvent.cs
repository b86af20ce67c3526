namespace Piccolo.Core.Remote.Events;

public enum RemoteEventLevel
{
    Info,

    /// <summary>Something does not work, and is tried again.</summary>
    Warn,

    /// <summary>Strangers cannot reach the appliance, or reach somebody else.</summary>
    Error,
}

/// <summary>Something that happened to the way in from outside.</summary>
/// <param name="Source">What it happened to; see <see cref="RemoteEventSources"/>.</param>
/// <param name="Subject">Which one: a name, a certificate's id; empty where there is only one.</param>
/// <param name="State">The state that this was a change to. A state that already is, is no event. Null for what somebody did.</param>
/// <param name="Message">One plain sentence. Never secrets.</param>
public sealed record RemoteEvent(
    long Sequence, DateTimeOffset Time, RemoteEventLevel Level, string Source, string Subject, string? State, string Message, string? NextStep);

/// <summary>The sources of events. Never renamed.</summary>
public static class RemoteEventSources
{
    public const string Tunnel = "tunnel";
    public const string Certificate = "certificate";
    public const string Probe = "probe";
    public const string Alias = "alias";
    public const string Settings = "settings";
    public const string IssuanceLock = "issuance_lock";
}
