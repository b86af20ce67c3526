using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Import;

/// <summary>What an import reads: texts from anybody. Nothing else is looked at, and nothing is fetched.</summary>
/// <param name="Compose">The text of the compose file.</param>
public sealed record ImportSource(string Compose)
{
    /// <summary>The most that one text may have, in characters.</summary>
    public const int MaxLength = 256 * 1024;

    /// <summary>The most companion files.</summary>
    public const int MaxCompanions = 64;

    /// <summary>The text of the <c>.env</c> beside the compose file; null where there is none.</summary>
    public string? Environment { get; init; }

    /// <summary>Other files of the same folder, by their path from there, such as <c>config/app.env</c>.</summary>
    public ImmutableDictionary<string, string> Companions { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>What the app is called where the file does not say it: the name of its folder. Null = its main service's.</summary>
    public string? Name { get; init; }

    /// <summary>Services that the owner wants left out.</summary>
    public ImmutableHashSet<string> Without { get; init; } = [];
}
