using Piccolo.TestRun.Results;

namespace Piccolo.TestRun.Flaky;

/// <summary>What a run shows: the closing lines and the numbers of the last one.</summary>
internal sealed record Verdict(int Passed, int Failed, IReadOnlyList<string> Lines)
{
    public bool IsGreen => Passed > 0 && Failed == 0;

    public string ClosingLine => $"{Passed} passed, {Failed} failed";

    /// <param name="passedAgain">How often a failed test passed of <see cref="RetryRules.Times"/> further runs, by name; absent: not run again.</param>
    /// <param name="faults">What is wrong with the run or its machine; each counts as a failure.</param>
    public static Verdict Of(IReadOnlyList<TestResult> results, IReadOnlyDictionary<string, int> passedAgain, KnownFlaky known, IReadOnlyList<string> faults)
    {
        var lines = new List<string>();
        var (passed, failed) = (0, 0);
        foreach (var result in results)
        {
            var times = passedAgain.TryGetValue(result.Name, out var k) ? k : (int?)null;
            var forgiven = times > 0 ? known.Find(result.Method) : null;
            if (result.HasPassed || forgiven is not null) passed++;
            else failed++;
            if (result.HasPassed) continue;
            var often = times is null ? "" : $" ({times} of {RetryRules.Times} passed)";
            lines.Add(times > 0
                ? $"FLAKY {result.Name}: {result.Summary}{often}" + (forgiven is null ? "" : $", forgiven until {forgiven.Until:yyyy-MM-dd}: {forgiven.Reason}")
                : $"FAILED {result.Name}: {result.Summary}{often}");
        }
        lines.AddRange(faults.Select(fault => $"FAILED (the run): {fault}"));
        return new Verdict(passed, failed + faults.Count, lines);
    }
}
