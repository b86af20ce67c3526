namespace Piccolo.Api.Health;

/// <summary>How often the health loop runs, and when it counts as stalled. Tests use shorter times.</summary>
internal sealed record HealthPace
{
    /// <summary>A round begins at least this often.</summary>
    public TimeSpan Regular { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After this long without a round the loop counts as stalled.</summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromSeconds(30);
}
