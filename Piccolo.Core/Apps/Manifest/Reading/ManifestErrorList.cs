using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>Collects errors in the order of their finding, bounded, and remembers where each field stands.</summary>
internal sealed class ManifestErrorList
{
    /// <summary>Enough for an honest mistake; a hostile text gets no longer answer.</summary>
    public const int MaxErrors = 50;

    private readonly List<ManifestError> _errors = [];
    private readonly HashSet<string> _misshapen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TextPlace> _places = new(StringComparer.Ordinal);

    public bool Any => _errors.Count > 0;

    /// <summary>Whether more errors are counted for nothing: no work need go into their sentences.</summary>
    public bool IsFull => _errors.Count > MaxErrors;

    public ImmutableArray<ManifestError> ToImmutable() => [.. _errors];

    /// <summary>An error of shape: the field's value was not taken, so that rules about it, or about what is below it, say nothing more.</summary>
    public void Add(string path, TextPlace place, string code, string message, string? suggestion = null)
    {
        _misshapen.Add(path);
        Keep(path, place, code, message, suggestion);
    }

    /// <summary>A broken rule, at the field's own place, unless the shape of the field, or of what it is part of, is wrong already.</summary>
    public void AddRule(string path, string code, string message, string? suggestion = null)
    {
        if (WasRead(path)) Keep(path, PlaceOf(path), code, message, suggestion);
    }

    /// <summary>Whether the field's value was taken, or it was not given. What others say of a value that was not taken is not judged.</summary>
    public bool WasRead(string path)
    {
        for (var part = path; part.Length > 0; part = Parent(part))
            if (_misshapen.Contains(part)) return false;
        return true;
    }

    public void Place(string path, TextPlace place) => _places.TryAdd(path, place);

    private void Keep(string path, TextPlace place, string code, string message, string? suggestion)
    {
        if (_errors.Count < MaxErrors)
            _errors.Add(new ManifestError(path, place.Line, message) { Column = place.Column, Code = code, Suggestion = suggestion });
        else if (_errors.Count == MaxErrors)
            _errors.Add(new ManifestError(ManifestError.Document, place.Line, "There are more errors; these are the first.")
            {
                Column = place.Column,
                Code = ManifestErrorCodes.TooLarge,
            });
    }

    private TextPlace PlaceOf(string path)
    {
        while (!_places.ContainsKey(path) && path.Length > 0) path = Parent(path);
        return _places.GetValueOrDefault(path, TextPlace.Start);
    }

    private static string Parent(string path) => path[..Math.Max(0, path.AsSpan().LastIndexOfAny('.', '['))];
}
