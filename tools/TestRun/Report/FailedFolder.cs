using Piccolo.Rig;
using Piccolo.TestRun.Results;

namespace Piccolo.TestRun.Report;

/// <summary>The folder below <c>artifacts/failed</c> in which a failed test's message lies beside the state that it left.</summary>
internal static class FailedFolder
{
    private const int HeadLines = 8;
    private const int TailLines = 12;
    private const int LogsShown = 4;

    public static void Empty(string failed)
    {
        if (Directory.Exists(failed)) Directory.Delete(failed, recursive: true);
        Directory.CreateDirectory(failed);
    }

    /// <summary>Writes what the test said.</summary>
    /// <returns>What to print: where it lies, and head and tail of it and of the logs that were kept.</returns>
    public static IEnumerable<string> Keep(string failed, TestResult test)
    {
        var folder = Directory.CreateDirectory(Path.Combine(failed, FailedTestName.FolderOf(test.Name))).FullName;
        File.WriteAllText(Path.Combine(folder, "message.txt"), $"{test.Name}\n{test.Outcome}\n\n{test.Message}\n\n{test.StackTrace}\n\n{test.Output}\n");
        yield return $"--- {test.Name}";
        yield return $"    kept: {folder}";
        foreach (var line in HeadAndTail.Of($"{test.Message}\n{test.StackTrace}".Split('\n'), HeadLines, TailLines)) yield return $"    {line.TrimEnd()}";
        // The fixture's folder holds what its tests share.
        var logs = new[] { folder, Path.Combine(failed, FailedTestName.FolderOf(test.Method[..test.Method.LastIndexOf('.')])) }.Where(Directory.Exists)
            .SelectMany(place => Directory.EnumerateFiles(place, "*.log", SearchOption.AllDirectories)).Order(StringComparer.Ordinal).ToList();
        foreach (var log in logs.Take(LogsShown))
        {
            yield return $"    --- {log}";
            foreach (var line in HeadAndTail.Of(File.ReadLines(log), HeadLines, TailLines)) yield return $"    {line}";
        }
        if (logs.Count > LogsShown) yield return $"    … and {logs.Count - LogsShown} more logs";
    }
}
