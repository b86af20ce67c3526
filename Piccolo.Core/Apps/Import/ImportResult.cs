using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Import;

/// <summary>What can become of a compose file.</summary>
public enum ImportOutcome
{
    /// <summary>The manifest can be installed as it is.</summary>
    Plain,

    /// <summary>The app wants something that the owner has to allow first.</summary>
    Grant,

    /// <summary>The app cannot do its work here.</summary>
    Refused,
}

/// <summary>What became of one key. The later one is the worse one.</summary>
public enum ImportVerdict
{
    /// <summary>The manifest says the same.</summary>
    Taken,

    /// <summary>The manifest says it in another way.</summary>
    Translated,

    /// <summary>Without effect here, and the app works all the same.</summary>
    Dropped,

    /// <summary>The owner has to say something.</summary>
    Asked,

    /// <summary>Not possible here, and the app may not work without.</summary>
    Refused,
}

/// <summary>One key of the compose file, and what became of it.</summary>
/// <param name="Path">Such as <c>services.db.shm_size</c> or <c>services.web.ports[0]</c>; it stands for all below it that has no line of its own.</param>
/// <param name="Line">In the compose file; starts at 1.</param>
/// <param name="Sentence">In plain words. It quotes names and paths, never values.</param>
public sealed record ImportLine(string Path, int Line, ImportVerdict Verdict, string Sentence)
{
    /// <summary>The field of the manifest; null where there is none.</summary>
    public string? To { get; init; }

    /// <summary>Whether everything that is to be said stands in lines below this path.</summary>
    public bool IsSummary { get; init; }
}

/// <summary>A value that neither the compose file nor its environment has. Answered by a line of the <c>.env</c>.</summary>
/// <param name="Variable">Its name.</param>
/// <param name="Path">Where it is first wanted.</param>
/// <param name="IsRequired">Whether the file itself says that nothing works without it.</param>
public sealed record ImportQuestion(string Variable, string Path, int Line, bool IsRequired);

/// <summary>A file that the compose file wants and that did not come with it.</summary>
/// <param name="Name">As the compose file has it.</param>
/// <param name="Path">What wants it.</param>
public sealed record ImportMissingFile(string Name, string Path, int Line, string Sentence);

/// <summary>Something that not every app gets.</summary>
/// <param name="Name">Such as <c>capability NET_ADMIN</c>.</param>
/// <param name="IsConfirmed">Whether the owner has to confirm it; others are only shown.</param>
public sealed record ImportGrant(string Service, string Name, string Path, int Line, bool IsConfirmed, string Sentence);

/// <summary>What a compose file becomes. The same input gives the same result, byte for byte.</summary>
/// <param name="Manifest">Valid by the rules of this release. Null where none can be made of the file.</param>
/// <param name="Report">One line for each key, in the order of the file.</param>
public sealed record ImportResult(ImportOutcome Outcome, string? Manifest, ImmutableArray<ImportLine> Report)
{
    public ImmutableArray<ImportQuestion> Questions { get; init; } = [];

    public ImmutableArray<ImportMissingFile> MissingFiles { get; init; } = [];

    public ImmutableArray<ImportGrant> Grants { get; init; } = [];

    /// <summary>The lines that make the outcome <see cref="ImportOutcome.Refused"/>.</summary>
    public IEnumerable<ImportLine> Refusals => Report.Where(l => l is { Verdict: ImportVerdict.Refused, IsSummary: false });
}
