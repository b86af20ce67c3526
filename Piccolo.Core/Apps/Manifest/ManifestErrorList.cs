using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>Collects errors in the order of their finding, bounded, and remembers where each field stands.</summary>
internal sealed class ManifestErrorList
{
    /// <summary>Enough for an honest mistake; a hostile text gets no longer answer.</summary>
    public const int MaxErrors = 50;

    private readonly List<ManifestError> _errors = [];
    private readonly HashSet<string> _misshapen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);

    public bool Any => _errors.Count > 0;

    public ImmutableArray<ManifestError> ToImmutable() => [.. _errors];

    /// <summary>An error of shape: the field's value was not taken, so that rules about it, or about what is below it, say nothing more.</summary>
    public void Add(string path, int line, string message)
    {
        _misshapen.Add(path);
        Keep(path, line, message);
    }

    /// <summary>A broken rule, at the field's own line, unless the shape of the field, or of what it is part of, is wrong already.</summary>
    public void AddRule(string path, string message)
    {
        for (var part = path; part.Length > 0; part = Parent(part))
            if (_misshapen.Contains(part)) return;
        Keep(path, LineOf(path), message);
    }

    public void Place(string path, int line) => _lines.TryAdd(path, line);

    private void Keep(string path, int line, string message)
    {
        if (_errors.Count < MaxErrors) _errors.Add(new ManifestError(path, line, message));
        else if (_errors.Count == MaxErrors) _errors.Add(new ManifestError(ManifestError.Document, line, "There are more errors; these are the first."));
    }

    private int LineOf(string path)
    {
        while (!_lines.ContainsKey(path) && path.Length > 0) path = Parent(path);
        return _lines.GetValueOrDefault(path, 1);
    }

    private static string Parent(string path) => path[..Math.Max(0, path.AsSpan().LastIndexOfAny('.', '['))];
}
