using System.Diagnostics;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>Interleaved rounds: in each, all contenders do the work one after the other, and each starts first in its turn.</summary>
internal sealed class Rounds(BenchReport report, IngressBenchSettings settings)
{
    /// <summary>The contender whose ratio counts.</summary>
    public const string Door = "door";

    private const double Microseconds = 1_000_000;
    private static readonly TimeSpan ShortestWarmUp = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(60);

    /// <summary>The compiler is done when a load is no longer faster than the one before by more than this.</summary>
    private const double StillFaster = 1.03;

    /// <param name="bar">The front door's rate as a ratio to nginx.</param>
    public async Task CompareAsync(string name, string unit, Contender[] contenders, Func<Contender, Task<LoadResult>> load, double bar, double goal)
    {
        if (!settings.Wants(name)) return;
        var samples = await MeasureAsync(contenders, load, settings.Rounds);
        foreach (var contender in contenders)
        {
            var own = samples[contender];
            var ratio = Median(own.Zip(samples[contenders[0]], (mine, nginx) => mine.Rate / nginx.Rate));
            report.Figure($"{name}_{contender.Name}", Median(own.Select(s => s.Rate)), $" {unit}/s");
            report.Figure($"{name}_{contender.Name}_cpu", Median(own.Select(s => s.CpuPerUnit)) * Microseconds, "µs");
            if (contender.Name == Door)
            {
                report.AtLeast($"{name}_ratio", ratio, "x", bar);
                report.Goal($"{name}_ratio", ratio, "x", goal);
            }
            else if (contender != contenders[0])
            {
                report.Figure($"{name}_{contender.Name}_ratio", ratio, "x");
            }
        }
    }

    /// <summary>The front door against itself in another state.</summary>
    public async Task CompareSelfAsync(string name, Contender before, Contender after, Func<Contender, Task<LoadResult>> load, double bar)
    {
        var samples = await MeasureAsync([before, after], load, settings.Rounds * 2);
        report.Figure($"{name}_{before.Name}_cpu", Median(samples[before].Select(s => s.CpuPerUnit)) * Microseconds, "µs");
        report.Figure($"{name}_{after.Name}_cpu", Median(samples[after].Select(s => s.CpuPerUnit)) * Microseconds, "µs");
        report.AtLeast($"{name}_ratio", Median(samples[after].Zip(samples[before], (a, b) => a.Rate / b.Rate)), "x", bar);
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static async Task<Dictionary<Contender, List<Sample>>> MeasureAsync(Contender[] contenders, Func<Contender, Task<LoadResult>> load, int rounds)
    {
        foreach (var contender in contenders) await WarmUpAsync(contender, load);
        var samples = contenders.ToDictionary(c => c, _ => new List<Sample>());
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < contenders.Length; i++)
            {
                var contender = contenders[(i + round) % contenders.Length];
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
