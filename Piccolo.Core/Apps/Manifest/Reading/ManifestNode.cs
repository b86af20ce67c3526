using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>Where in a text something stands. Both start at 1.</summary>
internal readonly record struct TextPlace(int Line, int Column)
{
    public static readonly TextPlace Start = new(1, 1);
}

/// <summary>A manifest's YAML as a small tree in which each node knows its place.</summary>
internal abstract record ManifestNode(TextPlace Place)
{
    /// <param name="IsPlain">Written without quotes, so that <c>8080</c> may be a number and nothing at all may be null.</param>
    public sealed record Scalar(TextPlace Place, string Text, bool IsPlain) : ManifestNode(Place)
    {
        /// <summary>As YAML's core schema has it (YAML 1.2, 10.3.2).</summary>
        public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";
    }

    public sealed record Sequence(TextPlace Place, IReadOnlyList<ManifestNode> Items) : ManifestNode(Place);

    public sealed record Mapping(TextPlace Place, IReadOnlyList<Entry> Entries) : ManifestNode(Place);

    public sealed record Entry(string Key, TextPlace Place, ManifestNode Value);

    /// <summary>Whether nothing is said here: null, an empty list or an empty mapping.</summary>
    public bool IsEmpty => this is Scalar { IsNull: true } or Sequence { Items.Count: 0 } or Mapping { Entries.Count: 0 };

    public string Shape => this switch
    {
        // What stands between a name and its value may only look like a space.
        Scalar { IsPlain: true } scalar when InvisibleCharacters.FirstIn(scalar.Text) is { } odd => $"a single value with {odd} in it",
        Scalar => "a single value",
        Sequence => "a list",
        _ => "a mapping",
    };
}
