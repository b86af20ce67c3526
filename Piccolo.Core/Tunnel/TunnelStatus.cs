using System.Collections.Immutable;

namespace Piccolo.Core.Tunnel;

public enum TunnelState
{
    /// <summary>No relay is configured, or there is no name to serve.</summary>
    Disabled,
    Connecting,
    Authenticating,

    /// <summary>The relay has acknowledged the session.</summary>
    Online,

    /// <summary>Stopping: what runs may end, nothing new begins.</summary>
    Draining,

    /// <summary>The relay, or its certificate, said no; tried again at <see cref="TunnelStatus.Until"/>.</summary>
    Refused,

    /// <summary>The relay cannot be reached or went away; tried again at <see cref="TunnelStatus.Until"/>.</summary>
    Waiting,
}

/// <summary>What was observed of the tunnel, at one moment.</summary>
public sealed record TunnelStatus
{
    public required TunnelState State { get; init; }

    /// <summary>Stable word for <see cref="Reason"/>, such as <c>secret_rejected</c> or <c>unreachable</c>.</summary>
    public string? Code { get; init; }

    /// <summary>Why it is not online, or why the newest names are not claimed yet. Stays visible while the next attempt runs.</summary>
    public string? Reason { get; init; }

    /// <summary>What the owner can do about it.</summary>
    public string? NextStep { get; init; }

    /// <summary>When the next attempt begins.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>When the relay last acknowledged a session.</summary>
    public DateTimeOffset? LastHandshake { get; init; }

    /// <summary>From a control message to its answer, measured right after the handshake.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>Accepted sessions: one, two while names change.</summary>
    public int Sessions { get; init; }

    public int Streams { get; init; }

    /// <summary>What users have sent and no app has read yet.</summary>
    public long BufferedBytes { get; init; }

    /// <summary>Payload received from users, since the process started.</summary>
    public long BytesIn { get; init; }

    /// <summary>Payload sent to users, since the process started.</summary>
    public long BytesOut { get; init; }

    /// <summary>How often a session was opened because an earlier one had ended by itself.</summary>
    public long Reconnects { get; init; }

    /// <summary>What the accepted session claims; empty when there is none.</summary>
    public ImmutableSortedSet<string> Hostnames { get; init; } = [];

    /// <summary>Sessions that only let their streams end.</summary>
    public ImmutableArray<DrainingSession> Draining { get; init; } = [];

    /// <summary>What happened since the process started.</summary>
    public TunnelCounts Counts { get; init; } = TunnelCounts.None;
}

/// <param name="Number">As in the log and in the ids of streams.</param>
/// <param name="Until">When what still runs is cut.</param>
public sealed record DrainingSession(int Number, int Streams, DateTimeOffset Until);

/// <summary>An accepted session that ended by itself.</summary>
public sealed record TunnelLoss(DateTimeOffset At, string Code, string Reason);

/// <param name="Losses">The latest first; a few.</param>
/// <param name="ReconnectsByReason">How often a session was opened because an earlier one had ended by itself, by the code of that end.</param>
/// <param name="RefusedStreams">Users who were not let in, by cause.</param>
/// <param name="Streams">Users who were let in.</param>
/// <param name="CutStreams">Streams that ended because their session did.</param>
/// <param name="ReplacedSessions">Sessions that gave way to one with other names.</param>
public sealed record TunnelCounts(
    ImmutableArray<TunnelLoss> Losses, ImmutableSortedDictionary<string, long> ReconnectsByReason, ImmutableSortedDictionary<string, long> RefusedStreams,
    long Streams, long CutStreams, long ReplacedSessions)
{
    public static readonly TunnelCounts None = new([], ImmutableSortedDictionary<string, long>.Empty, ImmutableSortedDictionary<string, long>.Empty, 0, 0, 0);
}

/// <summary>Whether a relay takes a secret, found out by really opening a session.</summary>
public sealed record TunnelVerification(bool Accepted, string? Code, string? Reason, string? NextStep, TimeSpan? RoundTrip);
