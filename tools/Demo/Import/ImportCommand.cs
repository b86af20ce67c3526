using System.Text;
using Piccolo.Core.Apps.Import;

namespace Piccolo.Demo.Import;

/// <summary>Shows what compose files become: one line for each, or everything about one.</summary>
internal static class ImportCommand
{
    public const string Usage = """
        usage: ./dev import [--report] [--manifest] DIR|FILE...

        Reads compose files (*.yml, *.yaml of a folder) and prints one line for each: its name, its verdict (plain,
        grant, refused), how many keys, and the names of listeners, volumes, secrets, questions, missing files, grants and
        refused keys. X.env beside X.yml is its environment; beside a compose file in a folder of its own it is .env.
        Other files that it wants are read from its folder. Nothing is installed or fetched.

          --report     also prints the line of each key
          --manifest   also prints the manifest

        Ends with the sums; exits 1 when an import crashed.
        """;

    public static int Run(IReadOnlyList<string> args, TextWriter output)
    {
        var paths = args.Where(a => !a.StartsWith("--", StringComparison.Ordinal)).ToList();
        var unknown = args.Where(a => a.StartsWith("--", StringComparison.Ordinal) && a is not ("--report" or "--manifest")).ToList();
        if (paths.Count == 0 || unknown.Count > 0)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }
        var sums = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var file in paths.SelectMany(FilesOf))
        {
            var word = One(file, output, args.Contains("--report"), args.Contains("--manifest"));
            sums[word] = sums.GetValueOrDefault(word) + 1;
        }
        output.WriteLine($"IMPORT files={sums.Values.Sum()} {string.Join(' ', sums.Select(s => $"{s.Key}={s.Value}"))}");
        return sums.ContainsKey("crash") ? 1 : 0;
    }

    private static IEnumerable<string> FilesOf(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path).Where(f => Path.GetExtension(f) is ".yml" or ".yaml").Order(StringComparer.Ordinal)
        : [path];

    /// <returns>The word of the verdict.</returns>
    private static string One(string file, TextWriter output, bool hasReport, bool hasManifest)
    {
        var name = Path.GetFileName(file);
        try
        {
            var result = Read(file);
            var word = result.Outcome.ToString().ToLowerInvariant();
            output.WriteLine($"{name} {word} {Counts(result)}");
            if (hasReport)
                foreach (var line in result.Report) output.WriteLine(Shown(line));
            if (hasManifest && result.Manifest is not null) output.WriteLine(result.Manifest);
            return word;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever it is: the other files are shown all the same, and this one is what is looked for.
            output.WriteLine($"{name} crash {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
            return "crash";
        }
    }

    private static string Shown(ImportLine line) =>
        $"  {line.Line,5} {line.Verdict.ToString().ToLowerInvariant(),-10} {line.Path}: {line.Sentence}" + (line.To is null ? "" : $" -> {line.To}");

    /// <summary>A file that the import misses is given to it where the folder has it, so that it may miss the next.</summary>
    private static ImportResult Read(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var source = new ImportSource(Text(file)) { Name = NameOf(file, folder), Environment = EnvironmentOf(file, folder) };
        var result = ComposeImporter.Import(source);
        for (var round = 0; round < 4; round++)
        {
            var found = result.MissingFiles.Select(m => m.Name).Where(n =>
                !source.Companions.ContainsKey(Key(n)) && Inside(folder, n) is not null).Distinct().ToList();
            if (found.Count == 0) break;
            foreach (var missing in found) source = source with { Companions = source.Companions.Add(Key(missing), Text(Inside(folder, missing)!)) };
            result = ComposeImporter.Import(source);
        }
        return result;
    }

    private static string Counts(ImportResult result)
    {
        var manifest = result.Manifest is null ? null : Piccolo.Core.Apps.Manifest.AppManifestParser.Parse(result.Manifest).Manifest;
        var text = new StringBuilder($"keys={result.Report.Length}");
        Add("services", manifest?.Services.Select(s => s.Name));
        Add("listeners", manifest?.Listeners.Select(l => $"{l.Name}:{l.GuestPort}"));
        Add("volumes", manifest?.Volumes.Keys);
        Add("secrets", manifest?.Secrets.Keys);
        Add("questions", result.Questions.Select(q => q.IsRequired ? $"{q.Variable}!" : q.Variable));
        Add("missing", result.MissingFiles.Select(m => m.Name));
        Add("grants", result.Grants.Where(g => g.IsConfirmed).Select(g => g.Name.Replace(' ', '_')).Distinct());
        Add("refused", result.Refusals.Select(r => $"{r.Path}@{r.Line}"));
        return text.ToString();

        void Add(string what, IEnumerable<string>? names)
        {
            var all = names?.ToList() ?? [];
            text.Append(' ').Append(what).Append('=').Append(all.Count);
            if (all.Count > 0) text.Append('(').AppendJoin(',', all.Select(n => n.Replace(' ', '_'))).Append(')');
        }
    }

    private static string NameOf(string file, string folder)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        return IsOfFolder(name) ? Path.GetFileName(folder) : name;
    }

    private static string? EnvironmentOf(string file, string folder)
    {
        var own = Path.ChangeExtension(file, ".env");
        var shared = Path.Combine(folder, ".env");
        return File.Exists(own) ? Text(own) : IsOfFolder(Path.GetFileNameWithoutExtension(file)) && File.Exists(shared) ? Text(shared) : null;
    }

    private static bool IsOfFolder(string name) => name is "compose" or "docker-compose";

    private static string Key(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;

    /// <summary>The file of that name in the folder; null where there is none, or it lies outside.</summary>
    private static string? Inside(string folder, string name)
    {
        var path = Path.GetFullPath(Path.Combine(folder, name));
        return path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path)
            && new FileInfo(path).Length <= ImportSource.MaxLength ? path : null;
    }

    /// <summary>No more than the import can refuse for its size.</summary>
    private static string Text(string path)
    {
        using var reader = new StreamReader(path, Encoding.UTF8);
        var buffer = new char[ImportSource.MaxLength + 1];
        return new string(buffer, 0, reader.ReadBlock(buffer));
    }
}
