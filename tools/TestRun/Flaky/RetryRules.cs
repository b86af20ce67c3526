using Piccolo.TestRun.Results;

namespace Piccolo.TestRun.Flaky;

/// <summary>
/// When a failed test is run again, to tell flaky from broken. A single failure of a kill, of sealed data, of a scenario, of stream or store integrity
/// or of real containers is the finding itself: those are never run again, and so never forgiven.
/// </summary>
internal static class RetryRules
{
    public const int MostFailures = 3;
    public const int Times = 5;

    private static readonly string[] NeverCategories = ["Kill", "Sealed", "NeedsPodman"];
    private static readonly string[] NeverNames = [".Scenarios.", "Integrity"];

    /// <summary>A few failures may be the machine's, many are the code's; what a broken run says of a test is worth nothing.</summary>
    public static bool Allow(int failures, bool runIsWhole) => runIsWhole && failures is > 0 and <= MostFailures;

    public static bool AllowByName(TestResult test) => !test.IsSkipped && !NeverNames.Any(part => test.Method.Contains(part, StringComparison.Ordinal));

    /// <summary>Selects the method of a test unless it is of a category that is never run again. Cases of one method share it.</summary>
    public static string Filter(TestResult test) =>
        string.Join('&', [$"FullyQualifiedName~{RunOptions.Escape(test.Method)}", .. NeverCategories.Select(category => $"TestCategory!={category}")]);
}
