using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Core.Durability;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>The process dies in a known step of what the next release does with the store: this release and the next one both open it, whole.</summary>
[Category("Kill"), Category("Sealed"), Category("NeedsProcess")]
internal sealed class KilledMigrationTests
{
    private const string Copy = "snapshots/taking.tmp";
    private WriteRig _rig = null!;

    [SetUp]
    public async Task SetUp()
    {
        _rig = new WriteRig();
        await _rig.OwnAsync();
    }

    [TearDown]
    public void TearDown() => _rig.Dispose();

    [Test]
    public async Task SnapshotBeforeMigration_KilledAtEachStep_NothingIsMigratedAndBothReleasesOpenTheStore(
        [Values(WriteStep.Written, WriteStep.Renamed)] WriteStep step)
    {
        await _rig.KillAtAsync("migrate", step, Copy);

        Assert.That(IsMigrated(), Is.False, "no migration before its snapshot");
        await AssertBothReleasesOpenItAsync();
        Assert.That(Directory.GetFiles(Path.Combine(_rig.State, "snapshots")), Has.Length.EqualTo(1).And.All.EndsWith(".db"),
            "no leftover, and one copy: both are of the same second and revision");
    }

    /// <summary>The log's writes are those of the migration: all of its statements and the journal's row.</summary>
    [TestCase(1)]
    [TestCase(2, Category = "Slow")]
    [TestCase(3)]
    [TestCase(5, Category = "Slow")]
    [TestCase(8, Category = "Slow")]
    public async Task Migration_Killed_BothReleasesOpenTheStore(int write)
    {
        await _rig.KillInsideAsync("migrate", "pwrite64", "control.db-wal", write);

        await AssertBothReleasesOpenItAsync();
    }

    private bool IsMigrated()
    {
        using var reader = StoreFile.OpenReader(Path.Combine(_rig.State, "control.db"));
        using var command = reader.CreateCommand();
        command.CommandText = "SELECT count(*) FROM sqlite_master WHERE name = 'hints'";
        return (long)command.ExecuteScalar()! == 1;
    }

    private async Task AssertBothReleasesOpenItAsync()
    {
        foreach (var schema in (StoreSchema[])[StoreSchema.Current, StoreMigrationTests.Next])
        {
            using var box = new TestBox(_rig.State, schema);
            Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
            Assert.That(box.Store.Get(WritingChild.Notes, "before"), Is.Not.Null);
            Assert.That(box.Store.Check(), Is.True);
            Assert.That(box.Health.Snapshot.Ready, Is.True);
            await box.LockAsync();
        }
        Assert.That(RawStore.Execute(Path.Combine(_rig.State, "control.db"), "UPDATE hints SET value = value"), Is.EqualTo(1), "the migration has run, once");
    }
}
