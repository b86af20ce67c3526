using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>Collects what becomes of each key. A key has one line; of two verdicts the worse one stays.</summary>
internal sealed class ComposeReport
{
    private const string NotKnown = "The import does not know this field; it is left out.";
    private const string Below = "See the lines below it.";

    private readonly Dictionary<string, ImportLine> _lines = new(StringComparer.Ordinal);

    public void Add(Field field, ImportVerdict verdict, string sentence, string? to = null) => Add(field.Path, field.Line, verdict, sentence, to);

    public void Add(string path, int line, ImportVerdict verdict, string sentence, string? to = null)
    {
        if (_lines.TryGetValue(path, out var known) && known.Verdict >= verdict) return;
        _lines[path] = new ImportLine(path, line, verdict, sentence) { To = to };
    }

    public bool Has(string path) => _lines.ContainsKey(path);

    /// <summary>One line for each key of the tree: what has none by itself gets one, but for keys below a line that has no lines below it.</summary>
    public ImmutableArray<ImportLine> Complete(ManifestNode.Mapping root)
    {
        var lines = new List<ImportLine>();
        foreach (var field in Field.Of(root, "")) Walk(field, lines);
        // What stands in no tree, such as a file that was taken over, comes last.
        var seen = lines.Select(l => l.Path).ToHashSet(StringComparer.Ordinal);
        lines.AddRange(_lines.Values.Where(l => !seen.Contains(l.Path)));
        return [.. lines];
    }

    /// <returns>The worst verdict at the field and below it, or null where it has no line and nothing below it has one.</returns>
    private ImportVerdict? Walk(Field field, List<ImportLine> lines)
    {
        var own = _lines.GetValueOrDefault(field.Path);
        var at = lines.Count;
        var children = field.Children().ToList();
        var verdicts = new List<(Field Child, ImportVerdict? Verdict)>();
        foreach (var child in children) verdicts.Add((child, Walk(child, lines)));
        if (verdicts.All(v => v.Verdict is null))
        {
            if (own is not null) lines.Add(own);
            return own?.Verdict;
        }
        var verdict = Sum(verdicts.Where(v => v.Verdict is not null || !v.Child.IsMerge).Select(v => v.Verdict ?? ImportVerdict.Dropped).ToList());
        foreach (var (child, _) in verdicts.Where(v => v.Verdict is null)) lines.Add(Unknown(child));
        var summary = own ?? new ImportLine(field.Path, field.Line, verdict, Below) { IsSummary = true };
        if (own is not null && own.Verdict < verdict) summary = own with { Verdict = verdict, IsSummary = true };
        lines.Insert(at, summary);
        return summary.Verdict;
    }

    /// <summary>What nobody said anything of, at the top and of a service.</summary>
    public void AddUnknown(Field field)
    {
        var line = Unknown(field);
        Add(field, line.Verdict, line.Sentence);
    }

    private static ImportLine Unknown(Field field) => field.IsMerge
        ? new ImportLine(field.Path, field.Line, ImportVerdict.Taken, "The fields of the anchor stand here.")
        : new ImportLine(field.Path, field.Line, ImportVerdict.Dropped, NotKnown);

    /// <summary>What is asked or refused below counts above, too; else all of it was taken or dropped, or there is something of each.</summary>
    private static ImportVerdict Sum(List<ImportVerdict> verdicts) =>
        verdicts.Max() is >= ImportVerdict.Asked and var worst ? worst
        : verdicts.TrueForAll(v => v == ImportVerdict.Taken) ? ImportVerdict.Taken
        : verdicts.TrueForAll(v => v == ImportVerdict.Dropped) ? ImportVerdict.Dropped
        : ImportVerdict.Translated;
}
