using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>Collects errors in the order of their finding, bounded, and remembers where each field stands.</summary>
internal sealed class ManifestErrorList
{
    /// <summary>Enough for an honest mistake; a hostile text gets no longer answer.</summary>
    public const int MaxErrors = 50;

    private readonly List<ManifestError> _errors = [];
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);

    public bool Any => _errors.Count > 0;

    public ImmutableArray<ManifestError> ToImmutable() => [.. _errors];

    public void Add(string path, int line, string message)
    {
        _paths.Add(path);
        if (_errors.Count < MaxErrors) _errors.Add(new ManifestError(path, line, message));
        else if (_errors.Count == MaxErrors) _errors.Add(new ManifestError(ManifestError.Document, line, "There are more errors; these are the first."));
    }

    /// <summary>As <see cref="Add"/>, at the field's own line, unless that field, or what it is part of, already has an error.</summary>
    public void AddRule(string path, string message)
    {
        for (var part = path; part.Length > 0; part = Parent(part))
            if (_paths.Contains(part)) return;
        Add(path, LineOf(path), message);
    }

    public void Place(string path, int line) => _lines.TryAdd(path, line);

    private int LineOf(string path)
    {
        while (!_lines.ContainsKey(path) && path.Length > 0) path = Parent(path);
        return _lines.GetValueOrDefault(path, 1);
    }

    private static string Parent(string path) => path[..Math.Max(0, path.AsSpan().LastIndexOfAny('.', '['))];
}
