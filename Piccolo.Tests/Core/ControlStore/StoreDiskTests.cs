using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>Disks that are full or read-only: real small file systems.</summary>
[Category("Sealed")]
[Category("NeedsRoot")]
internal sealed class StoreDiskTests
{
    private static readonly StoreCollection<Note> Notes = new("notes");

    [Test]
    public async Task FullTmpfs_LatchesRefusesWritesReadsOnAndRecovers()
    {
        using var disk = MountedFolder.Tmpfs(kibibytes: 600);
        using var box = await OwnedAsync(disk.Path);
        disk.Fill();

        var stored = FillStore(box);

        Assert.That(box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.DiskFull }));
        Assert.That(box.Health.Snapshot.Faults[FaultCode.DiskFull].Rollback, Is.False);
        Assert.That(box.Store.List(Notes), Has.Count.EqualTo(stored), "reads go on, and what was acknowledged is there");
        Assert.That(box.Store.TryRecover(), Is.False, "the disk is still full");
        Assert.That(box.Health.Snapshot.Ready, Is.False);
        File.Delete(Path.Combine(disk.Path, "ballast"));
        Assert.That(box.Store.TryRecover(), Is.True);
        Assert.That(box.Health.Snapshot.Ready, Is.True);

        box.Store.Commit(t => t.Put(Notes, "after", new Note("room again")));
        Assert.That(box.Store.Check(), Is.True);
        await box.LockAsync();
        await box.UnlockAsync();
        Assert.That(box.Store.List(Notes), Has.Count.EqualTo(stored + 1));
    }

    [Test]
    public async Task FullTmpfs_ProbeLoop_ClearsTheFaultByItself()
    {
        using var disk = MountedFolder.Tmpfs(kibibytes: 600);
        using var box = await OwnedAsync(disk.Path);
        disk.Fill();
        FillStore(box);
        File.Delete(Path.Combine(disk.Path, "ballast"));
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        using var loop = new StoreRecoveryLoop(box.Store, Options.Create(new ControlStoreOptions()), time, box.Log.For<StoreRecoveryLoop>());
        await loop.StartAsync(CancellationToken.None);
        var seen = box.Store.Changed.Version;

        await time.PassAsync(TimeSpan.FromSeconds(3));
        await box.Store.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That(box.Health.Snapshot.Ready, Is.True);
        await loop.StopAsync(CancellationToken.None);
    }

    [Test]
    public async Task FullExt4_LatchesAndRecovers()
    {
        using var disk = MountedFolder.Ext4(mebibytes: 4);
        using var box = await OwnedAsync(disk.Path);
        disk.Fill();

        var stored = FillStore(box);

        Assert.That(box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.DiskFull }));
        Assert.That(box.Store.List(Notes), Has.Count.EqualTo(stored));
        File.Delete(Path.Combine(disk.Path, "ballast"));
        Assert.That(box.Store.TryRecover(), Is.True);
        box.Store.Commit(t => t.Put(Notes, "after", new Note("room again")));
    }

    [Test]
    public async Task FullDisk_AtUnlock_OpensForReading()
    {
        using var disk = MountedFolder.Tmpfs(kibibytes: 600);
        using var box = await OwnedAsync(disk.Path);
        await box.LockAsync();
        disk.Fill();

        await box.UnlockAsync();

        Assert.That(box.Store.Get(Notes, "first"), Is.EqualTo(new Note("kept")));
        Assert.That(FillStore(box), Is.LessThan(2000));
        Assert.That(box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.DiskFull }));
        File.Delete(Path.Combine(disk.Path, "ballast"));
        Assert.That(box.Store.TryRecover(), Is.True);
        box.Store.Commit(t => t.Put(Notes, "after", new Note("room again")));
    }

    [Test]
    public async Task ReadOnlyRemount_AtUnlock_OpensForReadingAndRecovers()
    {
        using var disk = MountedFolder.Tmpfs(kibibytes: 2048);
        using var box = await OwnedAsync(disk.Path);
        await box.LockAsync();
        disk.Remount("ro");

        await box.UnlockAsync();

        Assert.That(box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.ReadOnly }));
        Assert.That(box.Health.Snapshot.Faults[FaultCode.ReadOnly].Rollback, Is.False);
        Assert.That(box.Store.Get(Notes, "first"), Is.EqualTo(new Note("kept")));
        Assert.That(Assert.Throws<StoreFaultException>(() => box.Store.Commit(t => t.Put(Notes, "x", new Note("no"))))!.Code, Is.EqualTo(FaultCode.ReadOnly));
        Assert.That(box.Store.TryRecover(), Is.False);
        disk.Remount("rw");
        Assert.That(box.Store.TryRecover(), Is.True);
        box.Store.Commit(t => t.Put(Notes, "after", new Note("writable again")));
        Assert.That(box.Health.Snapshot.Ready, Is.True);
    }

    /// <summary>What a file system does to itself when its disk fails under it: from one moment to the next it takes no more writes.</summary>
    [Test]
    public async Task Ext4ThatTurnsReadOnlyUnderTheOpenStore_LatchesReadsOnAndRecoversAfterRepair()
    {
        using var disk = MountedFolder.Ext4(mebibytes: 8);
        using var box = await OwnedAsync(disk.Path);
        disk.Remount("abort");

        Assert.That(Assert.Throws<StoreFaultException>(() => box.Store.Commit(t => t.Put(Notes, "x", new Note("no"))))!.Code, Is.EqualTo(FaultCode.ReadOnly));

        Assert.That(box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.ReadOnly }));
        Assert.That(box.Store.Get(Notes, "first"), Is.EqualTo(new Note("kept")));
        Assert.That(box.Store.Get(Notes, "x"), Is.Null);
        Assert.That(box.Store.TryRecover(), Is.False);
        await box.LockAsync();
        disk.MountAgain();
        Assert.That(box.Store.TryRecover(), Is.True);
        await box.UnlockAsync();
        box.Store.Commit(t => t.Put(Notes, "after", new Note("writable again")));
        Assert.That(box.Health.Snapshot.Ready, Is.True);
    }

    /// <returns>How many notes the store acknowledged.</returns>
    private static int FillStore(TestBox box)
    {
        var stored = box.Store.List(Notes).Count;
        var content = new Note(new string('x', 4000));
        for (var i = 0; i < 2000; i++)
        {
            try
            {
                box.Store.Commit(t => t.Put(Notes, $"n{i}", content));
                stored++;
            }
            catch (StoreFaultException)
            {
                break;
            }
        }
        return stored;
    }

    private static async Task<TestBox> OwnedAsync(string folder)
    {
        var box = new TestBox(folder);
        await box.SetUpAsync();
        await box.UnlockAsync();
        box.Store.Commit(t => t.Put(Notes, "first", new Note("kept")));
        return box;
    }

    private sealed record Note(string Text);
}
