using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Piccolo.Tests.Fakes;
using Assembly = System.Reflection.Assembly;

namespace Piccolo.Tests.Architecture;

/// <summary>
/// A table of <c>docs/dev/architecture.md</c> and the types it speaks of. The table's head names a folder; each row has a level and the folders in it, as
/// <c>`Name`</c> or <c>`Name`: what it holds</c>, apart by semicolons.
/// </summary>
internal sealed partial class LevelTable
{
    private static readonly Dictionary<Assembly, List<IType>> Loaded = [];

    private readonly string _prefix;

    private LevelTable(string prefix, IReadOnlyDictionary<string, int> levels, IReadOnlyList<IType> types) =>
        (_prefix, Levels, Types) = (prefix, levels, types);

    public IReadOnlyDictionary<string, int> Levels { get; }

    public IReadOnlyList<IType> Types { get; }

    /// <summary>The folders that hold types.</summary>
    public IEnumerable<string> Folders => Types.Select(FolderOf).Distinct();

    /// <param name="folder">As its namespace.</param>
    public static LevelTable Of(string folder, Assembly assembly)
    {
        var prefix = folder + ".";
        if (!Loaded.TryGetValue(assembly, out var all)) Loaded[assembly] = all = [.. new ArchLoader().LoadAssembly(assembly).Build().Types];
        return new LevelTable(prefix, Read(folder),
            [.. all.Where(t => t.FullName.StartsWith(prefix, StringComparison.Ordinal)
                && t.FullName[prefix.Length..].Contains('.', StringComparison.Ordinal))]);
    }

    /// <summary>Uses of a folder that is not on a lower level.</summary>
    public IEnumerable<string> Violations() => Uses().Where(u => u.FromFolder != u.ToFolder && Levels[u.ToFolder] >= Levels[u.FromFolder]).Select(u => u.Text);

    /// <summary>Uses of one folder inside <paramref name="folder"/> by another one.</summary>
    public IEnumerable<string> UsesWithin(string folder)
    {
        var within = new LevelTable($"{_prefix}{folder}.", Levels,
            [.. Types.Where(t => FolderOf(t) == folder && t.FullName[(_prefix.Length + folder.Length + 1)..].Contains('.', StringComparison.Ordinal))]);
        return within.Uses().Where(u => u.FromFolder != u.ToFolder).Select(u => u.Text);
    }

    private IEnumerable<(string FromFolder, string ToFolder, string Text)> Uses()
    {
        var names = Types.Select(t => t.FullName).ToHashSet(StringComparer.Ordinal);
        return Types.SelectMany(from => from.Dependencies.Select(d => d.Target).Where(to => names.Contains(to.FullName))
            .Select(to => (FolderOf(from), FolderOf(to), $"{from.FullName} -> {to.FullName}"))).Distinct();
    }

    private string FolderOf(IType type) => type.FullName[_prefix.Length..].Split('.')[0];

    private static Dictionary<string, int> Read(string folder)
    {
        var rows = File.ReadLines(Repository.File("docs/dev/architecture.md"))
            .SkipWhile(line => line != $"| level | folders of `{folder}` |").Skip(2).TakeWhile(line => line.StartsWith('|'));
        return rows.Select(row => row.Split('|', StringSplitOptions.TrimEntries))
            .SelectMany(cells => cells[2].Split(';').SelectMany(item => Name().Matches(item.Split(':')[0]))
                .Select(m => (Folder: m.Groups[1].Value, Level: int.Parse(cells[1], null))))
            .ToDictionary(f => f.Folder, f => f.Level, StringComparer.Ordinal);
    }

    [GeneratedRegex("`([A-Za-z0-9]+)`")]
    private static partial Regex Name();
}
