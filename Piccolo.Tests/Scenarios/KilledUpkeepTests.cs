using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Rig;
using Piccolo.Tests.Core.Durability;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>The process dies in each step of a snapshot, and of putting an export onto a fresh box; the daemon starts after it.</summary>
[Category("Kill"), Category("Sealed"), Category("NeedsProcess")]
internal sealed class KilledUpkeepTests
{
    private WriteRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new WriteRig();

    [TearDown]
    public void TearDown() => _rig.Dispose();

    [Test]
    public async Task Snapshot_KilledAtEachStep_LeavesAWholeStoreAndWholeSnapshots([Values] WriteStep step)
    {
        await _rig.OwnAsync();

        await _rig.KillAtAsync("snapshot", step, "snapshots/taking.tmp");

        var copies = Directory.GetFiles(Path.Combine(_rig.State, "snapshots"), "*.db");
        Assert.That(copies, Has.Length.EqualTo(step < WriteStep.Renamed ? 0 : 1), "a copy has its name when it is whole");
        await AssertOpensAsync(Path.Combine(_rig.State, "control.db"), "state");
        foreach (var copy in copies) await AssertOpensAsync(copy, "snapshot");
    }

    /// <summary>The folder's rename decides. What is left to be moved after it the next start moves.</summary>
    [TestCase(WriteStep.TemporaryCreated, "import.unfinished/keyset.json", false, Category = "Slow")]
    [TestCase(WriteStep.Written, "import.unfinished/keyset.json", false)]
    [TestCase(WriteStep.Flushed, "import.unfinished/keyset.json", false, Category = "Slow")]
    [TestCase(WriteStep.Renamed, "import.unfinished/keyset.json", false, Category = "Slow")]
    [TestCase(WriteStep.Durable, "import.unfinished/keyset.json", false, Category = "Slow")]
    [TestCase(WriteStep.Written, "import.ready", false, Category = "Slow")]
    [TestCase(WriteStep.Flushed, "import.ready", false)]
    [TestCase(WriteStep.Renamed, "import.ready", true)]
    [TestCase(WriteStep.Durable, "import.ready", true, Category = "Slow")]
    [TestCase(WriteStep.Renamed, "control.db", true)]
    [TestCase(WriteStep.Renamed, "keyset.json", true)]
    [TestCase(WriteStep.Durable, "keyset.json", true, Category = "Slow")]
    public async Task Import_Killed_IsUnclaimedOrTheExportedBox(WriteStep step, string file, bool decided)
    {
        await _rig.MakeExportAsync();

        await _rig.KillAtAsync("import", step, file);

        using var folder = new TempFolder();
        await using (var restarted = await ApplianceProcess.StartAsync(
            _rig.State, folder.File("appliance.log"), LoopbackPorts.Free(1)[0],
            new Dictionary<string, string> { ["Piccolo:Ingress:ListenAddress"] = "127.0.0.1", ["Piccolo:Containers:Socket"] = "" }))
        {
            Assert.That((bool)(await restarted.Api.GetAsync("/api/v1/crypto/status"))["initialized"]!, Is.EqualTo(decided));
            if (!decided) await restarted.Api.SetUpAsync(TestBox.Password);
            await restarted.Api.UnlockAsync(TestBox.Password);
            Assert.That((bool)(await restarted.Api.GetAsync("/api/v1/health/ready"))["ready"]!, Is.True);
        }
        Assert.That(Directory.GetDirectories(_rig.State, "import.*"), Is.Empty);
        using var box = new TestBox(_rig.State);
        await box.UnlockAsync();
        Assert.That(box.Store.Get(WritingChild.Notes, "exported"), decided ? Is.Not.Null : Is.Null);
        Assert.That(File.Exists(Path.Combine(_rig.State, WriteRig.VolumeFile)), Is.EqualTo(decided));
    }

    /// <summary>As an owner restores it.</summary>
    private async Task AssertOpensAsync(string store, string name)
    {
        using var restored = new TempFolder();
        File.Copy(Path.Combine(_rig.State, "keyset.json"), restored.File("keyset.json"));
        foreach (var part in (string[])["", "-wal"])
        {
            if (File.Exists(store + part)) File.Copy(store + part, restored.File("control.db" + part));
        }
        using var box = new TestBox(restored.Path);
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done), name);
        Assert.That(box.Store.Check(), Is.True, name);
        Assert.That(box.Store.Get(WritingChild.Notes, "before"), Is.Not.Null, name);
    }
}
