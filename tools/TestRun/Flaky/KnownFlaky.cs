using System.Globalization;

namespace Piccolo.TestRun.Flaky;

/// <summary>A test that may fail and pass when run again, until a day.</summary>
internal sealed record ForgivenTest(string Name, DateOnly Until, string Reason);

/// <summary><c>Piccolo.Tests/known-flaky.txt</c>: one line each, <c>full name, yyyy-MM-dd, reason</c>; lines that begin with # are comments.</summary>
/// <param name="Faults">Sentences about entries that are malformed or expired, or name no test.</param>
internal sealed record KnownFlaky(IReadOnlyList<ForgivenTest> Tests, IReadOnlyList<string> Faults)
{
    /// <param name="tests">Full names without arguments; asked only when there is an entry.</param>
    public static KnownFlaky Read(IEnumerable<string> lines, DateOnly today, Func<IReadOnlySet<string>> tests)
    {
        var forgiven = new List<ForgivenTest>();
        var faults = new List<string>();
        foreach (var line in lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (Parse(line) is not { } entry) faults.Add($"known-flaky.txt: '{line}' is not of the form 'full name, yyyy-MM-dd, reason'");
            else if (entry.Until < today)
                faults.Add($"known-flaky.txt: {entry.Name} was forgiven until {entry.Until:yyyy-MM-dd}; mend the test, or find a new reason and day");
            else forgiven.Add(entry);
        }
        if (forgiven.Count > 0)
        {
            var known = tests();
            faults.AddRange(forgiven.Where(entry => !known.Contains(entry.Name)).Select(entry => $"known-flaky.txt: there is no test {entry.Name}"));
        }
        return new KnownFlaky(forgiven, faults);
    }

    public ForgivenTest? Find(string method) => Tests.FirstOrDefault(test => test.Name == method);

    private static ForgivenTest? Parse(string line)
    {
        var parts = line.Split(',', 3, StringSplitOptions.TrimEntries);
        return parts is [{ Length: > 0 } name, var day, { Length: > 0 } reason] && !name.Contains(' ', StringComparison.Ordinal)
            && DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var until)
            ? new ForgivenTest(name, until, reason) : null;
    }
}
