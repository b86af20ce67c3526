namespace Piccolo.TestRun.Results;

/// <summary>What is wrong with a run as a whole, beside its failed tests.</summary>
internal static class RunFaults
{
    // Said after every run that ended well.
    private const string Fine = "Data collector 'Blame' message: All tests finished running";
    private const string NoMatch = "No test matches the given testcase filter";
    private const int NamedAtMost = 10;

    /// <param name="exitCode">Of <c>dotnet test</c>.</param>
    /// <param name="running">Tests that had begun and not ended when the host died.</param>
    /// <param name="missing">Finds the tests without a result; asked only when some are missing.</param>
    /// <returns>Sentences; none: the results are the truth.</returns>
    public static IReadOnlyList<string> Of(TrxFile trx, int exitCode, IReadOnlyList<string> running, Func<IReadOnlyList<string>> missing)
    {
        var faults = new List<string>();
        var messages = trx.Messages.Where(message => message.Length > 0 && !message.StartsWith(Fine, StringComparison.Ordinal)
            && !message.StartsWith(NoMatch, StringComparison.Ordinal)).Distinct().ToList();
        faults.AddRange(messages.Select(OneLine));
        if (running.Count > 0) faults.Add($"the test host ended while these tests were running: {Names(running)}");
        if (trx.Results.Count == 0)
        {
            faults.Add("no test ran");
            return faults;
        }
        if (trx.Discovered is null && messages.Count == 0) faults.Add("the result file does not say how many tests were discovered");
        if (trx.Discovered > trx.Results.Count || (messages.Count > 0 && running.Count > 0))
        {
            var names = missing();
            if (names.Count > 0 || trx.Discovered > trx.Results.Count)
                faults.Add($"{Math.Max(names.Count, (trx.Discovered ?? 0) - trx.Results.Count)} tests were discovered and have no result: {Names(names)}");
        }
        if (exitCode != 0 && faults.Count == 0 && trx.Results.All(result => result.HasPassed))
            faults.Add($"dotnet test ended with code {exitCode} although every result is a passed one");
        return faults;
    }

    private static string Names(IReadOnlyList<string> names) =>
        names.Count == 0 ? "(their names could not be found)"
        : string.Join(", ", names.Take(NamedAtMost)) + (names.Count > NamedAtMost ? $" and {names.Count - NamedAtMost} more" : "");

    private static string OneLine(string text) =>
        string.Join(" | ", text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(5));
}
