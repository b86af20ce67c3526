using System.Diagnostics;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>Interleaved rounds: in each, all contenders do the work one after the other, and each starts first in its turn.</summary>
internal sealed class Rounds(BenchReport report, IngressBenchSettings settings)
{
    /// <summary>The contender whose ratio counts.</summary>
    public const string Door = "door";

    private const double Microseconds = 1_000_000;

    /// <summary>So many times the rounds of the others, as the bar is nearer to 1 than one load to the next.</summary>
    private const int SelfRounds = 8;

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

    /// <summary>
    /// The front door against itself in another state: what a processor does in a second. Both work in the same seconds, for from one to the next the machine
    /// changes more than the difference that counts here. Their rates say nothing then, as the slower one only leaves the other one less.
    /// </summary>
    /// <param name="bar">The other one's units per second of its CPU, as a ratio to those of the first.</param>
    public async Task CompareSelfAsync(string name, Contender one, Contender other, Func<Contender, Task<LoadResult>> load, double bar)
    {
        Contender[] both = [one, other];
        foreach (var contender in both) await WarmUpAsync(contender, load);
        var before = Cpu();
        var units = new double[both.Length];
        for (var round = 0; round < settings.Rounds * SelfRounds; round++)
        {
            var done = await Task.WhenAll(both.Select(load));
            for (var i = 0; i < both.Length; i++) units[i] += done[i].Units;
        }
        // Of all rounds together: a collection of the heap, which comes every few seconds, would decide a single one.
        var cpu = Cpu().Zip(before, (now, then) => now - then).Zip(units, (spent, done) => spent / done).ToArray();
        for (var i = 0; i < both.Length; i++) report.Figure($"{name}_{both[i].Name}_cpu", cpu[i] * Microseconds, "µs");
        report.AtLeast($"{name}_ratio", cpu[0] / cpu[1], "x", bar);

        double[] Cpu() => [.. both.Select(c => ProcessFigures.CpuSeconds(c.Process.Id))];
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
