using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Core.Apps;

/// <summary>How an install ended.</summary>
public abstract record InstallOutcome
{
    public sealed record Created(AppRecord App) : InstallOutcome;

    /// <summary>The app was there and is now as the manifest says; listeners of the same name kept their ports.</summary>
    public sealed record Updated(AppRecord App) : InstallOutcome;

    /// <summary>The manifest is valid by itself but not beside what is installed. Nothing was changed.</summary>
    public sealed record Conflict(ImmutableArray<ManifestError> Errors) : InstallOutcome;

    /// <summary>A port range has no free port left. Nothing was changed.</summary>
    /// <param name="Sentence">Which, in plain words.</param>
    public sealed record NoPortLeft(string Sentence) : InstallOutcome;
}
