using System.Diagnostics;
using Piccolo.Core.Volumes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Volumes;

internal sealed class TreeRemovalTests
{
    private TempFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TempFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Delete_LinksOut_TouchesNothingOutside()
    {
        var kept = Directory.CreateDirectory(_folder.File("kept")).FullName;
        File.WriteAllText(Path.Combine(kept, "file"), "x");
        var tree = Directory.CreateDirectory(_folder.File("tree")).FullName;
        File.CreateSymbolicLink(Path.Combine(tree, "to-folder"), kept);
        File.CreateSymbolicLink(Path.Combine(tree, "to-file"), Path.Combine(kept, "file"));
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(Path.Combine(tree, "deep", "er")).FullName, "up"), "../../../kept");
        File.WriteAllText(Path.Combine(tree, "deep", "x"), "x");

        TreeRemoval.Delete(tree, CancellationToken.None);

        Assert.That(Directory.Exists(tree), Is.False);
        Assert.That(File.ReadAllText(Path.Combine(kept, "file")), Is.EqualTo("x"));
    }

    [Test]
    public void Delete_ALinkItself_LeavesItsTarget()
    {
        var kept = Directory.CreateDirectory(_folder.File("kept")).FullName;
        File.CreateSymbolicLink(_folder.File("link"), kept);

        TreeRemoval.Delete(_folder.File("link"), CancellationToken.None);

        Assert.That(Directory.EnumerateFileSystemEntries(_folder.Path), Is.EqualTo(new[] { kept }));
    }

    [Test]
    public void Delete_Nothing_IsDone() => Assert.DoesNotThrow(() => TreeRemoval.Delete(_folder.File("none"), CancellationToken.None));

    /// <summary>An app can nest folders until no path names the innermost.</summary>
    [Test, Category("NeedsProcess")]
    public void Delete_DeeperThanAPathCanName_LeavesNothing()
    {
        var tree = Directory.CreateDirectory(_folder.File("tree")).FullName;
        const string Nest = "import os\nfor i in range(300):\n os.mkdir('d' * 100); os.chdir('d' * 100); open('f', 'w').close()";
        using (var python = Process.Start(new ProcessStartInfo("python3", ["-c", Nest]) { WorkingDirectory = tree })!)
        {
            python.WaitForExit();
            Assert.That(python.ExitCode, Is.Zero);
        }

        TreeRemoval.Delete(tree, CancellationToken.None);

        Assert.That(Directory.Exists(tree), Is.False);
    }
}
