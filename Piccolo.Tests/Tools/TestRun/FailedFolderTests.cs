using Piccolo.Rig;
using Piccolo.TestRun.Report;
using Piccolo.TestRun.Results;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Tools.TestRun;

internal sealed class FailedFolderTests
{
    [Test]
    public void Keep_FailedTest_WritesItsMessageAndShowsHeadAndTailOfItsLogs()
    {
        using var folder = new TempFolder();
        var test = new TestResult("Piccolo.Tests.A.One(1)", "Piccolo.Tests.A.One", "Failed", "System.Exception : why",
            string.Join('\n', Enumerable.Range(0, 100).Select(n => $"at {n}")));
        var kept = Directory.CreateDirectory(Path.Combine(folder.Path, FailedTestName.FolderOf(test.Name), "state")).FullName;
        File.WriteAllLines(Path.Combine(kept, "daemon.log"), Enumerable.Range(0, 100).Select(n => $"line {n}"));

        var shown = FailedFolder.Keep(folder.Path, test).Select(line => line.Trim()).ToList();

        Assert.That(shown,
            Does.Contain("System.Exception : why").And.Contain("at 99").And.Contain("line 0").And.Contain("line 99").And.Contain("… 80 lines …"));
        Assert.That(File.ReadAllText(Path.Combine(folder.Path, FailedTestName.FolderOf(test.Name), "message.txt")), Does.Contain("at 50"));
    }

    [Test]
    public void Empty_WhatAnEarlierRunKept_IsGone()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "failed", "old"));

        FailedFolder.Empty(folder.File("failed"));

        Assert.That(Directory.EnumerateFileSystemEntries(folder.File("failed")), Is.Empty);
    }

    [Test]
    public void FolderOf_NamesThatDifferInWhatIsReplaced_Differ()
    {
        var names = new[]
        {
            "Piccolo.Tests.A.One",
            "Piccolo.Tests.A.One(\"a/b\")",
            "Piccolo.Tests.A.One(\"a?b\")",
            "Piccolo.Tests." + new string('x', 300),
            "Piccolo.Tests." + new string('x', 301),
        }.Select(FailedTestName.FolderOf).ToList();

        Assert.That(names, Is.Unique);
        Assert.That(names, Has.All.Matches(@"^[A-Za-z0-9._-]{1,160}$"));
        Assert.That(names[0], Is.EqualTo("A.One"));
    }
}
