namespace Piccolo.Tests.Core.Certificates.Simulation;

/// <summary>As long as the CA is reachable once in each last third of a lifetime there is no moment without a valid certificate.</summary>
[Category("Acme")]
[Category("Timing")]
internal sealed class YearSimulationTests
{
    private const int Part = 50;
    private static readonly TimeSpan Ninety = TimeSpan.FromDays(90);
    private static readonly List<double> Margins = [];

    [TestCase(1, 200, 90, false)]
    [TestCase(2, 10, 90, true)]
    [TestCase(3, 5, 6, false)]
    public Task Year_OutagesBySeed_LeavesNoGap(int seeds, int names, int days, bool hints) => RunAsync(seeds, names, TimeSpan.FromDays(days), hints);

    [TestCase(20, 200, false), Category("Slow")]
    public Task Year_TwoHundredNames_LeavesNoGap(int seeds, int names, bool hints) => RunAsync(seeds, names, Ninety, hints);

    /// <summary>A thousand seeds, in parts, so that none takes longer than a test may.</summary>
    [Test, Category("Slow")]
    public async Task Year_AThousandSeeds_LeavesNoGap([Range(0, 1000 - Part, Part)] int first)
    {
        var worst = await RunAsync(Part, 25, Ninety, hints: false, first);

        lock (Margins)
        {
            Margins.Add(worst);
            TestContext.Out.WriteLine($"{Margins.Count * Part} seeds so far: worst margin {Margins.Min():P2} of the lifetime");
        }
    }

    [Test]
    public async Task Year_CaGoneForMoreThanTheLastThird_IsAGap()
    {
        // The proof that the simulation can see one.
        var worst = 1.0;
        for (var seed = 0; seed < 2; seed++) worst = Math.Min(worst, (await YearSimulation.RunAsync(seed, 3, Ninety, hints: false, share: 0.9)).WorstMargin);

        Assert.That(worst, Is.Negative);
    }

    private static async Task<double> RunAsync(int seeds, int names, TimeSpan lifetime, bool hints, int first = 0)
    {
        var started = TimeProvider.System.GetTimestamp();
        var results = new YearResult[seeds];
        await Parallel.ForAsync(0, seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 },
            async (seed, _) => results[seed] = await YearSimulation.RunAsync(first + seed, names, lifetime, hints));

        var worst = results.Min(r => r.WorstMargin);
        TestContext.Out.WriteLine(
            $"{seeds} years of {names} names, {lifetime.TotalDays:0} days each: {results.Sum(r => r.Issued)} issued, {results.Sum(r => r.Asked)} "
            + $"asked, worst margin {worst:P2} of the lifetime "
            + $"({worst * lifetime.TotalHours:0.0} h), {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s");
        Assert.That(worst, Is.Positive);
        Assert.That(results.Max(r => r.MostInAWeek), Is.LessThanOrEqualTo(6), "the CA's limit for the same names is never run into");
        return worst;
    }
}
