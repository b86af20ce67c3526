using System.Text.RegularExpressions;

namespace Piccolo.TestRun.Results;

/// <summary>Rows of <c>docs/dev/protocol-nexus.md</c> whose tests all ran and passed in this run.</summary>
internal sealed partial record NexusCounts(int Passed, int NotOffered, IReadOnlyList<string> Missing)
{
    public static NexusCounts Of(IEnumerable<string> table, IEnumerable<TestResult> results)
    {
        var methods = results.GroupBy(result => ShortName(result.Method), StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.All(result => result.HasPassed), StringComparer.Ordinal);
        var (passed, notOffered, missing) = (0, 0, new List<string>());
        foreach (var row in table.Select(line => RowPattern().Match(line)).Where(row => row.Success))
        {
            var shown = row.Groups["shown"].Value;
            if (shown.StartsWith("not offered", StringComparison.Ordinal))
            {
                notOffered++;
                continue;
            }
            var tests = TestPattern().Matches(shown).Select(test => test.Groups[1].Value).ToList();
            if (tests.Exists(test => !methods.GetValueOrDefault(test))) missing.Add(row.Groups["id"].Value);
            else if (tests.Count > 0) passed++;
        }
        return new NexusCounts(passed, notOffered, missing);
    }

    public override string ToString() =>
        (Missing.Count > 0 ? $"NX without a passed test: {string.Join(' ', Missing)}\n" : "") + $"NX passed {Passed}, not offered {NotOffered}";

    /// <summary>Class and method.</summary>
    private static string ShortName(string method) => string.Join('.', method.Split('.').TakeLast(2));

    [GeneratedRegex(@"^\| (?<id>NX-\d+) \|[^|]*\| (?<shown>[^|]+)\|")]
    private static partial Regex RowPattern();

    [GeneratedRegex("`([A-Za-z0-9_]+\\.[A-Za-z0-9_]+)`")]
    private static partial Regex TestPattern();
}
