namespace Piccolo.Tests.Tools.TestRun;

/// <summary>A result file as <c>dotnet test --logger trx</c> writes it.</summary>
internal static class Trx
{
    /// <param name="tests">Name and outcome; a message with what failed.</param>
    public static string Of(IEnumerable<(string Name, string Outcome)> tests, int? discovered = null, params string[] messages)
    {
        var all = tests.ToList();
        return $"""
            <?xml version="1.0" encoding="utf-8"?>
            <TestRun id="1" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
              <Results>
                {string.Concat(all.Select((t, i) => $"""<UnitTestResult testId="{i}" testName="{t.Name}" outcome="{t.Outcome}"><Output><StdOut>printed</StdOut>{(t.Outcome == "Failed" ? "<ErrorInfo><Message>  first\n\n  second</Message><StackTrace>at X</StackTrace></ErrorInfo>" : "")}</Output></UnitTestResult>"""))}
              </Results>
              <TestDefinitions>
                {string.Concat(all.Select((t, i) => $"""<UnitTest id="{i}"><TestMethod className="{t.Name.Split('(')[0][..t.Name.Split('(')[0].LastIndexOf('.')]}" name="{t.Name[(t.Name.Split('(')[0].LastIndexOf('.') + 1)..]}" /></UnitTest>"""))}
              </TestDefinitions>
              <ResultSummary outcome="Completed">
                <Counters total="{all.Count}" />
                <Output><StdOut>   NUnit3TestExecutor discovered {discovered ?? all.Count} of {discovered ?? all.Count} NUnit test cases using Current Discovery mode</StdOut></Output>
                <RunInfos>{string.Concat(messages.Select(m => $"<RunInfo><Text>{m}</Text></RunInfo>"))}</RunInfos>
              </ResultSummary>
            </TestRun>
            """;
    }
}
