using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Apps;

/// <summary>Why a listener cannot have a name.</summary>
/// <param name="IsInvalid">The name itself is why; else somebody has it.</param>
public sealed record NameRefusal(string Message, bool IsInvalid);

/// <summary>What other owners of names say to a listener's name, as the store is in the transaction; null where they have nothing against it.</summary>
public delegate Func<string, NameRefusal?> ListenerNameRules(StoreTransaction transaction);

/// <summary>How an install ended.</summary>
public abstract record InstallOutcome
{
    public sealed record Created(AppRecord App) : InstallOutcome;

    /// <summary>The app was there and is now as the manifest says; listeners of the same name kept their ports.</summary>
    public sealed record Updated(AppRecord App) : InstallOutcome
    {
        /// <summary>As it was; null when it was so already.</summary>
        public AppRecord? Before { get; init; }
    }

    /// <summary>The manifest is valid by itself but not beside what is installed. Nothing was changed.</summary>
    public sealed record Conflict(ImmutableArray<ManifestError> Errors) : InstallOutcome;

    /// <summary>A listener's name cannot be a name here, whatever is installed. Nothing was changed.</summary>
    public sealed record Invalid(ImmutableArray<ManifestError> Errors) : InstallOutcome;

    /// <summary>A port range has no free port left. Nothing was changed.</summary>
    /// <param name="Sentence">Which, in plain words.</param>
    public sealed record NoPortLeft(string Sentence) : InstallOutcome;
}
