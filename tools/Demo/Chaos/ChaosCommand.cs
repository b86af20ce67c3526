using System.Globalization;
using System.Text;
using Piccolo.Rig;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo.Chaos;

/// <summary><c>./dev chaos tunnel</c>: everything that goes wrong between a home and its relay, with real processes.</summary>
public static class ChaosCommand
{
    public const string Usage = """
        usage: ./dev chaos tunnel [--only TEXT]

        Starts the stack with a line to the relay that can be slow, far, cut or silent, and breaks one thing after
        the other while visitors download. For each: what the status showed, seconds from the end of the fault to
        online, bytes that were not the app's, other visitors' streams that were disturbed. Needs root (a host
        table of the appliance's own). Takes about twelve minutes. Exits 0 only when every expectation held; then,
        without --only, the table in docs/dev/chaos.md is written anew.

          --only TEXT     only scenarios whose name contains it
        """;

    private const string Begin = "<!-- chaos tunnel -->";
    private const string End = "<!-- /chaos tunnel -->";

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        string? only = null;
        if (args is ["--only", var text]) only = text;
        else if (args.Count > 0) return Unknown();
        var chosen = ChaosScenarios.All.Where(s => only is null || s.Name.Contains(only, StringComparison.OrdinalIgnoreCase)).ToList();
        if (chosen.Count == 0) return Unknown();
        var timeline = new Timeline(Console.Out);
        try
        {
            await using var world = await ChaosWorld.StartAsync(Path.GetFullPath(Path.Combine("artifacts", "chaos")), timeline);
            timeline.Print("the world is whole");
            var run = new ChaosRun(world);
            List<ChaosResult> results = [];
            foreach (var scenario in chosen)
            {
                results.Add(await run.RunAsync(scenario));
                timeline.Print(Line(results[^1]));
            }
            var table = Table(results);
            Console.WriteLine(table);
            var held = results.All(r => r.Broken is null);
            if (held && only is null) await WriteAsync(table);
            Console.WriteLine($"CHAOS {results.Count(r => r.Broken is null)} of {results.Count} held");
            return held ? 0 : 1;
        }
        catch (Exception e)
            when (e is DemoFailedException or ApplianceRefusedException or InvalidOperationException or HttpRequestException or IOException or TimeoutException)
        {
            timeline.Print($"FAILED {e.Message}");
            return 1;
        }
    }

    private static int Unknown()
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    private static string Line(ChaosResult result) => string.Create(CultureInfo.InvariantCulture,
        $"{(result.Broken is null ? "OK" : "BROKEN")} {result.Name}: showed \"{result.Shown}\", back {Seconds(result.Back)}, changed {result.Changed}, "
        + $"disturbed {result.Disturbed}{(result.Broken is null ? "" : $" ({result.Broken})")}");

    private static string Table(IEnumerable<ChaosResult> results)
    {
        var text = new StringBuilder(
            "| what goes wrong | what the status shows | good again after | bytes lost or changed | others disturbed |\n|---|---|---|---|---|\n");
        foreach (var r in results)
            text.Append(CultureInfo.InvariantCulture,
                $"| {r.Name} | {r.Shown.Replace("|", "\\|", StringComparison.Ordinal)} | {Seconds(r.Back)} (limit {r.Limit.TotalSeconds:0} s) | "
                + $"{r.Changed} | {r.Disturbed} |\n");
        return text.ToString();
    }

    private static string Seconds(TimeSpan? time) => time is { } t ? string.Create(CultureInfo.InvariantCulture, $"{t.TotalSeconds:0.0} s") : "never";

    private static async Task WriteAsync(string table)
    {
        var path = Path.Combine("docs", "dev", "chaos.md");
        var text = await File.ReadAllTextAsync(path);
        var from = text.IndexOf(Begin, StringComparison.Ordinal);
        var to = text.IndexOf(End, StringComparison.Ordinal);
        if (from < 0 || to < from) throw new InvalidOperationException($"{path} has no place for the table.");
        await File.WriteAllTextAsync(path, string.Create(CultureInfo.InvariantCulture,
            $"{text[..(from + Begin.Length)]}\n{table}\n{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Environment.ProcessorCount} cores.\n{text[to..]}"));
    }
}
