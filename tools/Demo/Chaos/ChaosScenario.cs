using System.Text.Json.Nodes;

namespace Piccolo.Demo.Chaos;

/// <summary>One thing that goes wrong, and what is expected of the appliance meanwhile and afterwards.</summary>
/// <param name="Break">Makes it go wrong; what it returns, if anything, is a broken expectation.</param>
/// <param name="Mend">Makes it good again.</param>
internal sealed record ChaosScenario(string Name, Func<ChaosWorld, StatusWatch, Task<string?>> Break, Func<ChaosWorld, Task> Mend)
{
    /// <summary>What the status must show while it is wrong; null: the tunnel must stay online throughout.</summary>
    public Func<JsonNode, bool>? Shows { get; init; }

    /// <summary>What the status must show again afterwards.</summary>
    public Func<JsonNode, bool> IsGood { get; init; } = StatusWatch.IsOnline;

    /// <summary>How long it stays wrong after the status has shown it.</summary>
    public TimeSpan Outage { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the end of the fault.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Whether streams that run through the tunnel must live on. Where the connection to the relay itself dies they cannot: nothing is resumable.
    /// </summary>
    public bool KeepsStreams { get; init; }
}

/// <summary>What was observed.</summary>
/// <param name="Broken">The expectation that did not hold, or null.</param>
internal sealed record ChaosResult(string Name, string Shown, TimeSpan? Back, TimeSpan Limit, long Changed, int Disturbed, string? Broken);
