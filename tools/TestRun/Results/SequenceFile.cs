using System.Xml;
using System.Xml.Linq;

namespace Piccolo.TestRun.Results;

/// <summary>The file in which <c>--blame</c> keeps the order of tests when the test host dies.</summary>
internal static class SequenceFile
{
    /// <returns>The tests that had begun and had not ended, of all sequence files below a folder.</returns>
    public static IReadOnlyList<string> RunningIn(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder, "Sequence*.xml", SearchOption.AllDirectories).SelectMany(Running).Distinct(StringComparer.Ordinal)];

    private static List<string> Running(string path)
    {
        try
        {
            return [.. XDocument.Load(path).Descendants("Test")
                .Where(test => !string.Equals((string?)test.Attribute("Completed"), "True", StringComparison.OrdinalIgnoreCase))
                .Select(test => (string?)test.Attribute("DisplayName") ?? (string?)test.Attribute("Name") ?? "?")];
        }
        catch (XmlException)
        {
            // Written while the machine was in trouble: it names nobody, and the run has failed anyway.
            return [];
        }
    }
}
