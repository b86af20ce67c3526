using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>What somebody with the disk, but without the key, can do to the store, and how each is found.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class StoreIntegrityTests : StoreIntegrityFixture
{
    [TestCase("UPDATE rows SET box = zeroblob(length(box)) WHERE rowid_of = 0", FaultCode.DecryptFailed, Description = "edited")]
    [TestCase("UPDATE rows SET schema = 2 WHERE collection = 'others'", FaultCode.DecryptFailed)]
    [TestCase("UPDATE rows SET collection = 'others2' WHERE collection = 'others'", FaultCode.DecryptFailed)]
    [TestCase("DELETE FROM rows WHERE collection = 'others'", FaultCode.StoreCorrupt)]
    [TestCase("DELETE FROM rows", FaultCode.StoreCorrupt)]
    [TestCase("INSERT INTO rows SELECT 'others', randomblob(32), 1, box FROM rows WHERE collection = 'others'", FaultCode.DecryptFailed)]
    [TestCase("DELETE FROM revisions WHERE revision = (SELECT max(revision) FROM revisions)", FaultCode.StoreCorrupt)]
    [TestCase("DELETE FROM revisions WHERE revision = 1", FaultCode.StoreCorrupt)]
    [TestCase("DELETE FROM revisions WHERE revision = 4", FaultCode.StoreCorrupt)]
    [TestCase("DELETE FROM revisions", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE revisions SET changes = randomblob(32) WHERE revision = 1", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE revisions SET state = randomblob(32) WHERE revision = 3", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE revisions SET chain = randomblob(32) WHERE revision = 3", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE revisions SET previous = randomblob(32) WHERE revision = 3", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE revisions SET chain = x'' WHERE revision = 3", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE revisions SET revision = revision + 1000", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE meta SET revision = revision - 1", FaultCode.StoreCorrupt)]
    [TestCase("UPDATE meta SET revision = revision + 1", FaultCode.StoreCorrupt)]
    [TestCase("DELETE FROM meta", FaultCode.StoreCorrupt)]
    [TestCase("DELETE FROM rows; DELETE FROM revisions; UPDATE meta SET revision = 0", FaultCode.StoreCorrupt)]
    public async Task Tampering_IsFoundByTheRunningCheckAndAtOpen(string sql, FaultCode code)
    {
        sql = sql.Replace("rowid_of = 0", "id = (SELECT id FROM rows WHERE collection = 'notes' LIMIT 1) AND collection = 'notes'", StringComparison.Ordinal);
        Assert.That(_box.Store.Check(), Is.True);
        Assert.That(RawStore.Execute(_box.Paths.ControlStore, sql), Is.Positive);

        Assert.That(_box.Store.Check(), Is.False);
        Assert.That(_box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { code }));
        Assert.That(Assert.Throws<StoreFaultException>(() => _box.Store.Commit(t => t.Put(Notes, "x", new Note("late"))))!.Code, Is.EqualTo(code),
            "writes are refused");
        await _box.LockAsync();
        using var restarted = new TestBox(_folder.Path);

        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => restarted.UnlockAsync()))!.Code, Is.EqualTo(code));
        Assert.That(restarted.Health.Snapshot.Ready, Is.False);
        Assert.That(restarted.Store.IsOpen, Is.False);
    }

    [Test]
    public async Task OldRow_PutBack_IsFound()
    {
        await _box.LockAsync();
        var copy = _folder.File("copy");
        File.Copy(_box.Paths.ControlStore, copy);
        await _box.UnlockAsync();
        _box.Store.Commit(t => t.Put(Others, "n0", new Note("newer")));

        RawStore.Execute(_box.Paths.ControlStore,
            $"ATTACH '{copy}' AS old; UPDATE rows SET box = (SELECT box FROM old.rows WHERE collection = 'others') WHERE collection = 'others'");

        Assert.That(_box.Store.Get(Others, "n0"), Is.EqualTo(new Note("other")), "such a row opens: only the chain can tell");
        Assert.That(_box.Store.Check(), Is.False);
        Assert.That(_box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.StoreCorrupt }));
    }

    [Test]
    public async Task OldDatabase_PutBackWhole_IsFoundByTheAnchor()
    {
        await _box.LockAsync();
        var copy = _folder.File("copy");
        File.Copy(_box.Paths.ControlStore, copy);
        await _box.UnlockAsync();
        _box.Store.Commit(t => t.Put(Others, "n0", new Note("newer")));
        await _box.LockAsync();
        File.Copy(copy, _box.Paths.ControlStore, overwrite: true);

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.StoreCorrupt));
        Assert.That(thrown.Message, Does.Contain("older"));
    }

    /// <summary>Restoring a snapshot by hand is the owner's right: the anchor goes with the store that it belonged to.</summary>
    [Test]
    public async Task OldDatabase_PutBackWithoutAnchor_Opens()
    {
        await _box.LockAsync();
        var copy = _folder.File("copy");
        File.Copy(_box.Paths.ControlStore, copy);
        await _box.UnlockAsync();
        _box.Store.Commit(t => t.Put(Others, "n0", new Note("newer")));
        await _box.LockAsync();
        File.Copy(copy, _box.Paths.ControlStore, overwrite: true);
        File.Delete(_box.Paths.ControlStoreAnchor);

        await _box.UnlockAsync();

        Assert.That(_box.Store.Get(Others, "n0"), Is.EqualTo(new Note("other")));
    }

    [Test]
    public async Task Anchor_Damaged_IsRefused()
    {
        await _box.LockAsync();
        var bytes = await File.ReadAllBytesAsync(_box.Paths.ControlStoreAnchor);
        bytes[5] ^= 1;
        await File.WriteAllBytesAsync(_box.Paths.ControlStoreAnchor, bytes);

        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync()))!.Code, Is.EqualTo(FaultCode.DecryptFailed));
    }

    [Test]
    public async Task Anchor_ThatIsAFolder_IsRefusedAtOpenAndByTheRunningCheck()
    {
        File.Delete(_box.Paths.ControlStoreAnchor);
        Directory.CreateDirectory(_box.Paths.ControlStoreAnchor);

        Assert.That(_box.Store.Check(), Is.False);
        Assert.That(_box.Health.Snapshot.Faults[FaultCode.StoreUnreadable].Detail,
            Is.EqualTo("The control store cannot be used (its anchor cannot be read, errno 21)."));
        await _box.LockAsync();
        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync()))!.Code, Is.EqualTo(FaultCode.StoreUnreadable));
        Assert.That(_box.Health.Snapshot.Ready, Is.False);

        Directory.Delete(_box.Paths.ControlStoreAnchor);
        Assert.That(_box.Store.TryClearFault(FaultCode.StoreUnreadable), Is.True);
        await _box.UnlockAsync();
        Assert.That(_box.Health.Snapshot.Ready, Is.True);
    }

    /// <summary>Reading of /proc/self/mem at its beginning is the one read that every Linux answers with EIO.</summary>
    [Test]
    public async Task Anchor_WhoseDiskFails_LatchesAFaultAtOpen()
    {
        await _box.LockAsync();
        File.Delete(_box.Paths.ControlStoreAnchor);
        File.CreateSymbolicLink(_box.Paths.ControlStoreAnchor, "/proc/self/mem");

        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync()))!.Code, Is.EqualTo(FaultCode.StoreUnreadable));

        Assert.That(_box.Health.Snapshot.Faults[FaultCode.StoreUnreadable].Detail,
            Is.EqualTo("The control store cannot be used (its anchor cannot be read, errno 5)."));
        Assert.That(_box.Health.Snapshot.Ready, Is.False);
    }

    [Test]
    public async Task Revisions_BeyondTheKeptOnes_StayVerifiable()
    {
        for (var i = 0; i < RevisionLog.Kept + 20; i++) _box.Store.Commit(t => t.Put(Notes, "counter", new Note($"{i}")));

        Assert.That(_box.Store.Check(), Is.True);
        await _box.LockAsync();
        await _box.UnlockAsync();
        Assert.That(_box.Store.Revision, Is.EqualTo(10 + RevisionLog.Kept + 20));
        Assert.That(RawStore.Execute(_box.Paths.ControlStore,
            "UPDATE revisions SET changes = randomblob(32) WHERE revision = (SELECT min(revision) FROM revisions)"), Is.EqualTo(1));
        Assert.That(_box.Store.Check(), Is.False);
    }

    [Test]
    public async Task Check_WhileCommitsAndLocksGoOn_NeverCriesWolf()
    {
        using var stop = new CancellationTokenSource();
        var checking = Task.Run(() =>
        {
            var checks = 0;
            while (!stop.IsCancellationRequested)
            {
                Assert.That(_box.Store.Check(), Is.True);
                checks++;
            }
            return checks;
        });
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 40; i++) _box.Store.Commit(t => t.Put(Notes, $"n{i % 5}", new Note($"{round}.{i}")));
            await _box.LockAsync();
            await _box.UnlockAsync();
        }
        await stop.CancelAsync();

        Assert.That(await checking.WaitAsync(TimeSpan.FromSeconds(30)), Is.Positive);
        Assert.That(_box.Health.Snapshot.Ready, Is.True, string.Join(' ', _box.Health.Snapshot.Faults.Values));
    }

    [Test]
    public void StateDigest_AddAndRemove_CommuteAndCarry()
    {
        var (a, b) = (Enumerable.Repeat((byte)0xFF, 32).ToArray(), new byte[32]);
        b[31] = 1;

        var both = default(StateDigest).Add(a).Add(b);

        Assert.That(both, Is.EqualTo(default(StateDigest).Add(b).Add(a)));
        Assert.That(both, Is.EqualTo(new StateDigest(0, 0, 2)), "the sum wraps at 2^256");
        Assert.That(both.Remove(a), Is.EqualTo(default(StateDigest).Add(b)));
        Assert.That(both.Remove(b).Remove(a), Is.EqualTo(default(StateDigest)));
    }
}
