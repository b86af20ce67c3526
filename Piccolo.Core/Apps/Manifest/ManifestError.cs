using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>One thing that is wrong with a manifest.</summary>
/// <param name="Path">The field, such as <c>listeners[0].guest_port</c>; <c>manifest</c> for the document as a whole.</param>
/// <param name="Line">Where in the text it stands, or, for what is missing, where its parent stands. Starts at 1; 0 = not from a text.</param>
/// <param name="Message">One plain sentence that never quotes values.</param>
public sealed record ManifestError(string Path, int Line, string Message)
{
    /// <summary>The path of errors about the whole document.</summary>
    public const string Document = "manifest";

    public override string ToString() => Line > 0 ? $"{Path} (line {Line}): {Message}" : $"{Path}: {Message}";
}

/// <summary>A valid manifest, or everything that is wrong with it.</summary>
public sealed record ManifestResult(AppManifest? Manifest, ImmutableArray<ManifestError> Errors)
{
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(true, nameof(Manifest))]
    public bool IsValid => Manifest is not null;

    /// <summary>The errors as a problem document's <c>errors</c> member: field → messages, each with its line.</summary>
    public IReadOnlyDictionary<string, string[]> ByPath() => Errors.GroupBy(e => e.Path, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Select(e => e.Line > 0 ? $"Line {e.Line}: {e.Message}" : e.Message).ToArray(), StringComparer.Ordinal);
}
