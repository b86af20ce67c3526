using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>One thing that is wrong with a manifest.</summary>
/// <param name="Path">The field, such as <c>listeners[0].guest_port</c>; <c>manifest</c> for the document as a whole.</param>
/// <param name="Line">Where in the text it stands, or, for what is missing, where its parent stands. Starts at 1; 0 = not from a text.</param>
/// <param name="Message">One plain sentence that never quotes values; names of services, listeners, volumes and secrets may stand in it.</param>
public sealed record ManifestError(string Path, int Line, string Message)
{
    /// <summary>The path of errors about the whole document.</summary>
    public const string Document = "manifest";

    /// <summary>Starts at 1; 0 = not from a text.</summary>
    public int Column { get; init; }

    /// <summary>One of <see cref="ManifestErrorCodes"/>.</summary>
    public string Code { get; init; } = ManifestErrorCodes.InvalidValue;

    /// <summary>What was probably meant: the name of a field, or of something in the manifest. Null where nothing is near.</summary>
    public string? Suggestion { get; init; }

    public override string ToString() => Line > 0 ? $"{Path} (line {Line}): {Message}" : $"{Path}: {Message}";
}

/// <summary>The kinds of <see cref="ManifestError"/>. They stay as they are: programs tell errors apart by them.</summary>
public static class ManifestErrorCodes
{
    /// <summary>The text is not YAML of one document without anchors, aliases and tags.</summary>
    public const string Syntax = "syntax";
    public const string TooLarge = "too_large";
    public const string UnknownField = "unknown_field";

    /// <summary>The same name, port or path twice.</summary>
    public const string Duplicate = "duplicate";

    /// <summary>A list where a mapping is expected, and the like.</summary>
    public const string WrongShape = "wrong_shape";

    /// <summary>Known, and not in this release.</summary>
    public const string NotAvailable = "not_available";
    public const string Required = "required";
    public const string OutOfRange = "out_of_range";
    public const string InvalidValue = "invalid_value";

    /// <summary>A service, volume, listener or secret that the manifest does not have.</summary>
    public const string UnknownReference = "unknown_reference";

    /// <summary>Services that wait for each other.</summary>
    public const string Circle = "circle";

    /// <summary>Fields that exclude each other.</summary>
    public const string Conflict = "conflict";
}

/// <summary>Something in a valid manifest that the owner may not have meant.</summary>
/// <param name="Path">As of a <see cref="ManifestError"/>.</param>
/// <param name="Message">One plain sentence.</param>
public sealed record ManifestWarning(string Path, string Message);

/// <summary>A valid manifest, or everything that is wrong with it.</summary>
public sealed record ManifestResult(AppManifest? Manifest, ImmutableArray<ManifestError> Errors)
{
    /// <summary>Of a valid manifest only.</summary>
    public ImmutableArray<ManifestWarning> Warnings { get; init; } = [];

    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(true, nameof(Manifest))]
    public bool IsValid => Manifest is not null;

    /// <summary>The errors as a problem document's <c>errors</c> member: field → messages, each with its line.</summary>
    public IReadOnlyDictionary<string, string[]> ByPath() => Errors.GroupBy(e => e.Path, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Select(e => e.Line > 0 ? $"Line {e.Line}: {e.Message}" : e.Message).ToArray(), StringComparer.Ordinal);
}
