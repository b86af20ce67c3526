using System.Collections.Concurrent;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using Piccolo.Rig;

namespace Piccolo.Tests.Fakes.Files;

/// <summary>
/// Deletes what tests leave on disk, or keeps it below <c>artifacts/failed</c> when the test failed. A folder is given up before the verdict is known (an
/// exception is still on its way), so a test's folders go when the test has ended.
/// </summary>
internal static class FailedState
{
    private static readonly ConcurrentDictionary<string, ConcurrentQueue<string>> GivenUp = new(StringComparer.Ordinal);

    /// <summary>Set by the test runner, which has tests run again without mixing up what they leave.</summary>
    private static string Failed => Environment.GetEnvironmentVariable("PICCOLO_TEST_FAILED") ?? Repository.File("artifacts/failed");

    /// <summary>To be called instead of deleting the folder.</summary>
    public static void GiveUp(string folder)
    {
        var context = TestExecutionContext.CurrentContext;
        // A thread that belongs to no test.
        if (context is TestExecutionContext.AdhocContext) Directory.Delete(folder, recursive: true);
        // Its tests have ended: the verdict is known.
        else if (context.CurrentTest.IsSuite) End(folder, context.CurrentTest.FullName, context.CurrentResult);
        else GivenUp.GetOrAdd(context.CurrentTest.Id, _ => new()).Enqueue(folder);
    }

    public static void EndOf(ITest test, ITestResult result)
    {
        if (!GivenUp.TryRemove(test.Id, out var folders)) return;
        foreach (var folder in folders) End(folder, test.FullName, result);
    }

    private static void End(string folder, string name, ITestResult result)
    {
        if (result.ResultState.Status == TestStatus.Failed || result.FailCount > 0)
            KeptFolder.Copy(folder, Path.Combine(Failed, FailedTestName.FolderOf(name), Path.GetFileName(folder)));
        Directory.Delete(folder, recursive: true);
    }
}
