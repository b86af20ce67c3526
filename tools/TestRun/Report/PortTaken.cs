using Piccolo.TestRun.Results;

namespace Piccolo.TestRun.Report;

/// <summary>No test needs a port of its own choice, but another program may take one between its being found free and its use.</summary>
internal static class PortTaken
{
    private static readonly string[] Signs = ["Address already in use", "address already in use", "AddressAlreadyInUse"];

    /// <returns>A sentence when tests failed because of a port that was taken.</returns>
    public static string? Sentence(IEnumerable<TestResult> failed)
    {
        var names = failed.Where(test => Signs.Any(sign => test.Message.Contains(sign, StringComparison.Ordinal))).Select(test => test.Name).ToList();
        return names.Count == 0 ? null : $"another program holds a port that these tests needed ('ss -ltnp' names it): {string.Join(", ", names)}";
    }
}
