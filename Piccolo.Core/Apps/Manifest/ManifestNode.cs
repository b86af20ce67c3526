namespace Piccolo.Core.Apps.Manifest;

/// <summary>A manifest's YAML as a small tree in which each node knows its line.</summary>
internal abstract record ManifestNode(int Line)
{
    /// <param name="IsPlain">Written without quotes, so that <c>8080</c> may be a number and nothing at all may be null.</param>
    public sealed record Scalar(int Line, string Text, bool IsPlain) : ManifestNode(Line)
    {
        /// <summary>As YAML's core schema has it (YAML 1.2, 10.3.2).</summary>
        public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";
    }

    public sealed record Sequence(int Line, IReadOnlyList<ManifestNode> Items) : ManifestNode(Line);

    public sealed record Mapping(int Line, IReadOnlyList<Entry> Entries) : ManifestNode(Line);

    public sealed record Entry(string Key, int Line, ManifestNode Value);

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
