using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Piccolo.Bench;

/// <summary>What one benchmark measured: printed line by line, then kept as its section of <c>tools/Bench/README.md</c>.</summary>
public sealed class BenchReport(string area, TextWriter output)
{
    private readonly List<(string Name, string Value, string Bar)> _rows = [];

    public bool IsShort { get; private set; }

    public void Figure(string name, double value, string unit)
    {
        _rows.Add((name, Text(value) + unit, ""));
        output.WriteLine($"{name} {Text(value)}{unit}");
    }

    /// <summary>A figure that must not be above <paramref name="limit"/>.</summary>
    public void AtMost(string name, double value, string unit, double limit) => Bar(name, value, unit, "<=", limit, value <= limit);

    /// <summary>A figure that must be below <paramref name="limit"/>.</summary>
    public void Below(string name, double value, string unit, double limit) => Bar(name, value, unit, "<", limit, value < limit);

    /// <summary>A figure that must not be below <paramref name="limit"/>.</summary>
    public void AtLeast(string name, double value, string unit, double limit) => Bar(name, value, unit, ">=", limit, value >= limit);

    /// <summary>A mean of rounds, without a bar.</summary>
    internal void Figure(string name, Estimate value, string unit)
    {
        _rows.Add((name, Text(value, unit), ""));
        output.WriteLine($"{name} {Text(value, unit)}");
    }

    /// <summary>
    /// A mean of rounds that must not be below <paramref name="limit"/>. A miss that is
    /// smaller than the standard error is said, but does not fail the run.
    /// </summary>
    internal void AtLeast(string name, Estimate value, string unit, double limit)
    {
        var verdict = value.Mean >= limit ? Verdict.Ok : value.Mean + value.Error >= limit ? Verdict.WithinError : Verdict.Short;
        Bar(name, Text(value, unit), $">= {Text(limit)}{unit}", verdict);
    }

    /// <summary>What is aimed at beyond the bar; the run does not depend on it.</summary>
    public void Goal(string name, double value, string unit, double goal, bool atMost = false)
    {
        var aim = $"{(atMost ? "<=" : ">=")} {Text(goal)}{unit}";
        var met = (atMost ? value <= goal : value >= goal) ? "MET" : "NOT YET";
        _rows.Add((name, Text(value) + unit, $"goal {aim} {met}"));
        output.WriteLine($"GOAL {name} {Text(value)}{unit} (goal {aim}) {met}");
    }

    /// <summary>Replaces this area's section and leaves those of the others as they are.</summary>
    public async Task WriteAsync(string how)
    {
        var path = Path.Combine(RepositoryRoot(), "tools", "Bench", "README.md");
        var begin = $"<!-- {area} -->";
        var end = $"<!-- /{area} -->";
        var old = File.Exists(path) ? await File.ReadAllTextAsync(path)
            : "# Benchmarks\n\nEach section is written by its `./dev bench AREA`; the last run stands.\n";
        var section = Section(how, begin, end);
        var from = old.IndexOf(begin, StringComparison.Ordinal);
        var to = old.IndexOf(end, StringComparison.Ordinal);
        var text = from >= 0 && to > from ? old[..from] + section + old[(to + end.Length)..] : $"{old.TrimEnd()}\n\n{section}\n";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, text);
    }

    private void Bar(string name, double value, string unit, string comparison, double limit, bool holds) =>
        Bar(name, Text(value) + unit, $"{comparison} {Text(limit)}{unit}", holds ? Verdict.Ok : Verdict.Short);

    private void Bar(string name, string value, string bar, Verdict verdict)
    {
        var said = verdict switch { Verdict.Ok => "OK", Verdict.WithinError => "within the error", _ => "SHORT" };
        IsShort |= verdict == Verdict.Short;
        _rows.Add((name, value, $"{bar} {said}"));
        output.WriteLine($"BAR {name} {value} (bar {bar}) {said}");
    }

    private string Section(string how, string begin, string end)
    {
        var text = new StringBuilder().Append(begin).Append('\n').Append(CultureInfo.InvariantCulture, $"## {area}\n\n{how}\n");
        text.Append(CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}.\n\n");
        text.Append("| figure | value | bar |\n|---|---|---|\n");
        foreach (var (name, value, bar) in _rows) text.Append(CultureInfo.InvariantCulture, $"| {name} | {value} | {bar} |\n");
        return text.Append('\n').Append(end).ToString();
    }

    private static string Text(Estimate value, string unit) => string.Create(CultureInfo.InvariantCulture, $"{value.Mean:0.000}{unit} ± {value.Error:0.000}");

    private static string Text(double value) => value.ToString(value >= 100 ? "0" : "0.##", CultureInfo.InvariantCulture);

    private enum Verdict
    {
        Ok,
        WithinError,
        Short,
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Piccolo.Appliance.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The benchmark must run from inside the repository.");
        return folder.FullName;
    }
}
