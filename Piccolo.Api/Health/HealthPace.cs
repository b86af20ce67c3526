namespace Piccolo.Api.Health;

/// <summary>How often health is looked at when nobody asks for it, and when that counts as standing still. Tests are in a hurry.</summary>
internal sealed record HealthPace
{
    /// <summary>A round begins at least this often.</summary>
    public TimeSpan Regular { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After this long without a round something stands still.</summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromSeconds(30);
}
