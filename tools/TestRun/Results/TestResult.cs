namespace Piccolo.TestRun.Results;

/// <summary>One test case of a result file.</summary>
/// <param name="Name">Full name with arguments.</param>
/// <param name="Method">Full name without arguments.</param>
/// <param name="Outcome">The file's own word: <c>Passed</c>, <c>Failed</c>, <c>NotExecuted</c> …</param>
/// <param name="Output">What the test printed.</param>
internal sealed record TestResult(string Name, string Method, string Outcome, string Message = "", string StackTrace = "", string Output = "")
{
    private const int ShortLines = 3;
    private const int ShortLength = 300;

    public bool HasPassed => Outcome == "Passed";

    /// <summary>Ignored, explicit or inconclusive: it has shown nothing.</summary>
    public bool IsSkipped => Outcome is not ("Passed" or "Failed");

    /// <summary>One line for a reader who sees only the end of a log.</summary>
    public string Summary
    {
        get
        {
            var text = string.Join(" | ", Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(ShortLines));
            if (text.Length > ShortLength) text = text[..ShortLength] + "…";
            return IsSkipped ? $"skipped ({Outcome}) {text}".TrimEnd() : text;
        }
    }
}
