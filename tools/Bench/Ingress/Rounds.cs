using System.Diagnostics;

namespace Piccolo.Bench.Ingress;

/// <summary>Interleaved rounds: in each, all contenders do the work one after the other, and each starts first in its turn.</summary>
/// <param name="contenders">The first is what the others are compared to.</param>
internal sealed class Rounds(BenchReport report, IngressBenchSettings settings, IReadOnlyList<Contender> contenders)
{
    /// <summary>The contender whose ratio counts.</summary>
    public const string Door = "door";

    private const double Microseconds = 1_000_000;

    /// <summary>So many times the rounds of the others, as the bar is nearer to 1 than one load to the next.</summary>
    private const int SelfRounds = 4;

    private static readonly TimeSpan ShortestWarmUp = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(30);

    /// <summary>The compiler is done when a load is no longer faster than the one before by more than this.</summary>
    private const double StillFaster = 1.03;

    /// <param name="bar">The front door's rate as a ratio to nginx, which is the first contender.</param>
    public async Task CompareAsync(string name, string unit, Func<Contender, Task<LoadResult>> load, double bar)
    {
        if (!settings.Wants(name)) return;
        var samples = await MeasureAsync(load);
        foreach (var contender in contenders)
        {
            var own = samples[contender];
            report.Figure($"{name}_{contender.Name}", Median(own.Select(s => s.Rate)), $" {unit}/s");
            report.Figure($"{name}_{contender.Name}_cpu", Median(own.Select(s => s.CpuPerUnit)) * Microseconds, "µs");
            var ratio = Estimate.Of(own.Zip(samples[contenders[0]], (mine, nginx) => mine.Rate / nginx.Rate));
            if (contender.Name == Door) report.AtLeast($"{name}_ratio", ratio, "x", bar);
            else if (contender != contenders[0]) report.Figure($"{name}_{contender.Name}_ratio", ratio, "x");
        }
    }

    /// <summary>
    /// The front door against itself in another state: what a processor does in a second. Both work in the same seconds, for from one to the next the machine
    /// changes more than the difference that counts here. Their rates say nothing then, as the slower one only leaves the other one less.
    /// </summary>
    /// <param name="bar">The other one's units per second of its CPU, as a ratio to those of the first.</param>
    public async Task CompareSelfAsync(string name, Contender one, Contender other, Func<Contender, Task<LoadResult>> load, double bar)
    {
        Contender[] both = [one, other];
        foreach (var contender in both) await WarmUpAsync(contender, load);
        List<double>[] perUnit = [[], []];
        for (var round = 0; round < settings.Rounds * SelfRounds; round++)
        {
            var before = Cpu();
            var done = await Task.WhenAll(both.Select(load));
            var after = Cpu();
            for (var i = 0; i < both.Length; i++) perUnit[i].Add((after[i] - before[i]) / done[i].Units);
        }
        for (var i = 0; i < both.Length; i++) report.Figure($"{name}_{both[i].Name}_cpu", perUnit[i].Average() * Microseconds, "µs");
        report.AtLeast($"{name}_ratio", Estimate.Of(perUnit[0].Zip(perUnit[1], (few, many) => few / many)), "x", bar);

        double[] Cpu() => [.. both.Select(c => ProcessFigures.CpuSeconds(c.Process.Id))];
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private async Task<Dictionary<Contender, List<Sample>>> MeasureAsync(Func<Contender, Task<LoadResult>> load)
    {
        foreach (var contender in contenders) await WarmUpAsync(contender, load);
        var samples = contenders.ToDictionary(c => c, _ => new List<Sample>());
        for (var round = 0; round < settings.Rounds; round++)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                var contender = contenders[(i + round) % contenders.Count];
                var before = ProcessFigures.CpuSeconds(contender.Process.Id);
                var done = await load(contender);
                samples[contender].Add(new Sample(done.Rate, (ProcessFigures.CpuSeconds(contender.Process.Id) - before) / done.Units));
            }
        }
        return samples;
    }

    /// <summary>What does not count: pools, caches, and a compiler that works while the code runs, on processors that are busy with the load.</summary>
    public static async Task WarmUpAsync(Contender contender, Func<Contender, Task<LoadResult>> load)
    {
        var began = Stopwatch.GetTimestamp();
        var (best, slowerInARow) = ((await load(contender)).Rate, 0);
        if (!contender.IsCompiledAsItRuns) return;
        while (Stopwatch.GetElapsedTime(began) is var warmed && warmed < LongestWarmUp && (warmed < ShortestWarmUp || slowerInARow < 3))
        {
            var rate = (await load(contender)).Rate;
            slowerInARow = rate < best * StillFaster ? slowerInARow + 1 : 0;
            best = Math.Max(best, rate);
        }
    }

    private readonly record struct Sample(double Rate, double CpuPerUnit);
}
