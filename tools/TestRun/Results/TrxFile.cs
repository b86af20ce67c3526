using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Piccolo.TestRun.Results;

/// <summary>A TRX result file: what was run, and what the runner had to say about the run itself.</summary>
/// <param name="Messages">Run-level messages: a host that died, a fixture whose tear-down failed, a filter without a match.</param>
/// <param name="Discovered">How many tests were to run; null when the file does not say.</param>
internal sealed partial record TrxFile(IReadOnlyList<TestResult> Results, IReadOnlyList<string> Messages, int? Discovered)
{
    private static readonly XNamespace Team = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    /// <exception cref="TornResultsException">There is no such file, or it is not whole.</exception>
    public static TrxFile Read(string path)
    {
        if (!File.Exists(path)) throw new TornResultsException($"there is no result file {path}");
        try
        {
            var run = XDocument.Load(path).Root!;
            var summary = run.Element(Team + "ResultSummary") ?? throw new TornResultsException($"the result file {path} has no summary");
            var methods = run.Elements(Team + "TestDefinitions").Elements(Team + "UnitTest")
                .ToDictionary(test => Text(test, "id"), MethodOf, StringComparer.Ordinal);
            var results = run.Elements(Team + "Results").Elements(Team + "UnitTestResult").Select(result => ResultOf(result, methods)).ToList();
            var total = int.Parse(Text(summary.Element(Team + "Counters"), "total"), CultureInfo.InvariantCulture);
            if (total != results.Count) throw new TornResultsException($"the result file {path} counts {total} tests and has {results.Count}");
            return new TrxFile(results, [.. summary.Descendants(Team + "RunInfo").Select(info => $"{info.Element(Team + "Text")?.Value}".Trim())],
                DiscoveredIn($"{summary.Element(Team + "Output")?.Element(Team + "StdOut")?.Value}"));
        }
        catch (Exception e) when (e is XmlException or FormatException or KeyNotFoundException or ArgumentException)
        {
            throw new TornResultsException($"the result file {path} is not whole: {e.Message}");
        }
    }

    private static string MethodOf(XElement test)
    {
        var method = test.Element(Team + "TestMethod");
        return $"{Text(method, "className")}.{Text(method, "name").Split('(')[0]}";
    }

    private static TestResult ResultOf(XElement result, Dictionary<string, string> methods)
    {
        var output = result.Element(Team + "Output");
        var error = output?.Element(Team + "ErrorInfo");
        return new TestResult(Text(result, "testName"), methods[Text(result, "testId")], Text(result, "outcome"),
            $"{error?.Element(Team + "Message")?.Value}", $"{error?.Element(Team + "StackTrace")?.Value}", $"{output?.Element(Team + "StdOut")?.Value}");
    }

    private static string Text(XElement? element, string attribute) => element?.Attribute(attribute)?.Value ?? throw new FormatException($"no {attribute}");

    /// <summary>The adapter says it once for each assembly.</summary>
    private static int? DiscoveredIn(string output) =>
        DiscoveredPattern().Match(output) is { Success: true } match ? int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"discovered (?<count>\d+) of \d+ NUnit test cases")]
    private static partial Regex DiscoveredPattern();
}
