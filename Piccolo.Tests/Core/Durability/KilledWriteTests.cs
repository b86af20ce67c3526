using Piccolo.Core.Exports;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Durability;

/// <summary>The process dies in a known step of a write: the old content or the new one, never half, and what was acknowledged stays.</summary>
[Category("Kill"), Category("Sealed"), Category("NeedsProcess")]
internal sealed class KilledWriteTests
{
    [Test]
    public async Task AtomicFile_KilledAtEachStep_IsOldUntilTheRenameAndNewFromThen([Values] WriteStep step)
    {
        using var rig = new WriteRig();
        var path = Path.Combine(rig.State, "some.pem");
        await File.WriteAllTextAsync(path, "old");

        await rig.KillAtAsync("file", step, "some.pem");

        Assert.That(await File.ReadAllTextAsync(path), Is.EqualTo(step < WriteStep.Renamed ? "old" : "new"));
        AtomicFile.DeleteLeftovers(path);
        Assert.That(Directory.GetFiles(rig.State), Is.EqualTo(new[] { path }));
    }

    /// <summary>Three commits of two records each. The kill comes as the call is entered, so the call itself is not made.</summary>
    [TestCase("pwrite64", 1)]
    [TestCase("pwrite64", 2, Category = "Slow")]
    [TestCase("pwrite64", 3)]
    [TestCase("pwrite64", 7, Category = "Slow")]
    [TestCase("pwrite64", 12, Category = "Slow")]
    [TestCase("fsync", 1)]
    [TestCase("fsync", 2)]
    [TestCase("fsync", 3, Category = "Slow")]
    public async Task Commit_KilledInsideItsLogWrites_IsWholeOrNotThere(string call, int count)
    {
        using var rig = new WriteRig();
        await rig.OwnAsync();

        await rig.KillInsideAsync("commits", call, "control.db-wal", count);

        using var box = new TestBox(rig.State);
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(box.Store.Check(), Is.True);
        Assert.That(box.Store.Get(WritingChild.Notes, "before"), Is.Not.Null, "what was there before");
        for (var i = 1; i <= WritingChild.Commits; i++)
        {
            var (a, b) = (box.Store.Get(WritingChild.Notes, $"a{i}"), box.Store.Get(WritingChild.Notes, $"b{i}"));
            Assert.That(a is null, Is.EqualTo(b is null), $"commit {i} is whole or not there");
            if (File.Exists(rig.Mark($"ACK{i}"))) Assert.That(a, Is.Not.Null, $"commit {i} was acknowledged");
        }
    }

    /// <summary>Nothing of it, or all of it with its volume: the one rename decides.</summary>
    [TestCase(WriteStep.Written, "import.ready", false)]
    [TestCase(WriteStep.Flushed, "import.ready", false)]
    [TestCase(WriteStep.Renamed, "import.ready", true)]
    [TestCase(WriteStep.Durable, "import.ready", true, Category = "Slow")]
    [TestCase(WriteStep.Renamed, "control.db", true)]
    [TestCase(WriteStep.Renamed, "keyset.json", true)]
    [TestCase(WriteStep.Durable, "keyset.json", true, Category = "Slow")]
    public async Task Import_KilledAtEachStep_IsWholeOrNotThere(WriteStep step, string file, bool isWhole)
    {
        using var rig = new WriteRig();
        await rig.MakeExportAsync();

        await rig.KillAtAsync("import", step, file);

        await AssertImportedAsync(rig, isWhole);
    }

    [TestCase("pwrite64", 1)]
    [TestCase("utimensat", 1, Category = "Slow")]
    public async Task Import_KilledInAFileOfAVolume_IsNotThere(string call, int count)
    {
        using var rig = new WriteRig();
        await rig.MakeExportAsync();

        await rig.KillInsideAsync("import", call, Path.Combine("import.unfinished", WriteRig.VolumeFile), count);

        await AssertImportedAsync(rig, isWhole: false);
    }

    private static async Task AssertImportedAsync(WriteRig rig, bool isWhole)
    {
        // As every start of the daemon begins.
        ImportPlacement.Finish(new StatePaths(rig.State));

        if (!isWhole)
        {
            Assert.That(Directory.GetFileSystemEntries(rig.State), Is.Empty);
            return;
        }
        Assert.That(await File.ReadAllTextAsync(Path.Combine(rig.State, WriteRig.VolumeFile)), Is.EqualTo("ciphertext"));
        using var box = new TestBox(rig.State);
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(box.Store.Get(WritingChild.Notes, "exported"), Is.Not.Null);
        Assert.That(Directory.GetDirectories(rig.State).Select(Path.GetFileName), Is.EqualTo(new[] { "volumes" }));
    }
}
