namespace Piccolo.Core.Remote.Probing;

/// <summary>What an outside client sees of a public name.</summary>
public enum ReachResult
{
    /// <summary>Not dialled yet, or nothing to compare with: the detail says which.</summary>
    Unknown,

    /// <summary>This device answered, under its own key.</summary>
    Reachable,

    /// <summary>Somebody else answers: TLS ended before it reached this device. Nothing was sent there.</summary>
    WrongKey,

    /// <summary>Nothing answers, or not this device.</summary>
    Dead,

    /// <summary>The name leads to no address.</summary>
    Dns,
}

/// <summary>One look from outside at a name.</summary>
/// <param name="Detail">One plain sentence; null when there is nothing to say.</param>
/// <param name="RoundTrip">From the request to its answer; of a name that carries no requests, the handshake.</param>
public sealed record Observation(ReachResult Result, string? Detail = null, string? NextStep = null, TimeSpan? RoundTrip = null);

/// <summary>How a public name was found from outside.</summary>
/// <param name="Since">The first look that gave this result.</param>
/// <param name="LastSuccess">The last look that reached this device; null when none did since the start.</param>
/// <param name="CheckedAt">The last look; null before the first.</param>
public sealed record NameReach(
    string Name, ReachResult Result, DateTimeOffset Since, DateTimeOffset? LastSuccess, TimeSpan? RoundTrip, string? Detail, string? NextStep,
    DateTimeOffset? CheckedAt)
{
    public static NameReach NotYet(string name, DateTimeOffset now) =>
        new(name, ReachResult.Unknown, now, null, null, "This name was not dialled yet.", null, null);

    public NameReach After(Observation seen, DateTimeOffset now) => this with
    {
        Result = seen.Result,
        Since = seen.Result == Result ? Since : now,
        LastSuccess = seen.Result == ReachResult.Reachable ? now : LastSuccess,
        RoundTrip = seen.RoundTrip,
        Detail = seen.Detail,
        NextStep = seen.NextStep,
        CheckedAt = now,
    };
}
