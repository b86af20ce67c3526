using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Tools.TestRun;

/// <summary>What a failed test leaves is kept, whatever ended it.</summary>
internal sealed class KeptStateTests
{
    [Test]
    public void Copy_Folder_IsWholeButForWhatIsTooLarge()
    {
        using var folder = new TempFolder();
        var source = Directory.CreateDirectory(folder.File("source")).FullName;
        Directory.CreateDirectory(Path.Combine(source, "inner"));
        File.WriteAllText(Path.Combine(source, "inner", "a.log"), "text");
        File.WriteAllText(Path.Combine(source, "empty"), "");
        File.CreateSymbolicLink(Path.Combine(source, "link"), "/etc");
        using (var large = File.Create(Path.Combine(source, "large"))) large.SetLength(KeptFolder.MaxFile + 1);

        KeptFolder.Copy(source, folder.File("target"));

        Assert.That(Directory.EnumerateFileSystemEntries(folder.File("target"), "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder.File("target"), path)),
            Is.EquivalentTo(["inner", "inner/a.log", "empty", "left-out.txt"]));
        Assert.That(File.ReadAllText(folder.File("target/left-out.txt")), Does.Contain("large"));
    }

    [Test]
    public void GiveUp_DuringATest_WaitsForItsVerdict()
    {
        var path = Directory.CreateTempSubdirectory($"piccolo-test-{Environment.ProcessId}-").FullName;

        FailedState.GiveUp(path);

        Assert.That(Directory.Exists(path), Is.True, "the test goes on");
        var test = TestExecutionContext.CurrentContext.CurrentTest;
        FailedState.EndOf(test, new Ended(ResultState.Success, test));
        Assert.That(Directory.Exists(path), Is.False);
    }

    private sealed class Ended : TestCaseResult
    {
        public Ended(ResultState state, Test test) : base((TestMethod)test) => SetResult(state);
    }
}
