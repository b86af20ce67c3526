using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>What somebody with the disk, but without the key, can do to the store, and how each is found.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class StoreIntegrityTests
{
    private static readonly StoreCollection<Note> Notes = new("notes");
    private static readonly StoreCollection<Note> Others = new("others");

    private TempFolder _folder = null!;
    private TestBox _box = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.UnlockAsync();
        foreach (var i in Enumerable.Range(0, 8)) _box.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"text {i}")));
        _box.Store.Commit(t => t.Delete(Notes, "n7"));
        _box.Store.Commit(t => t.Put(Others, "n0", new Note("other")));
    }

    [TearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

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
        Assert.That(Assert.Throws<StoreFaultException>(() => _box.Store.Commit(t => t.Put(Notes, "x", new Note("late"))))!.Code, Is.EqualTo(code), "writes are refused");
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

        RawStore.Execute(_box.Paths.ControlStore, $"ATTACH '{copy}' AS old; UPDATE rows SET box = (SELECT box FROM old.rows WHERE collection = 'others') WHERE collection = 'others'");

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

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(100)]
    [TestCase(4096)]
    [TestCase(8192)]
    [TestCase(-4096)]
    [TestCase(-1)]
    public async Task TruncatedDatabase_IsFound(int length)
    {
        await _box.LockAsync();
        // SQLite takes what is missing of the last page for zeros: a cut that loses only zeros loses nothing.
        var held = File.ReadAllBytes(_box.Paths.ControlStore).AsSpan().TrimEnd((byte)0).Length;
        using (var file = File.OpenWrite(_box.Paths.ControlStore)) file.SetLength(length < 0 ? held + length : length);

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.StoreCorrupt));
        Assert.That(_box.Vault.State, Is.EqualTo(Piccolo.Core.Vault.VaultState.Locked));
    }

    [Test]
    public async Task MissingDatabase_IsNotReplacedByAnEmptyOne()
    {
        await _box.LockAsync();
        File.Delete(_box.Paths.ControlStore);

        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync()))!.Code, Is.EqualTo(FaultCode.StoreCorrupt));
        Assert.That(File.Exists(_box.Paths.ControlStore), Is.False);
    }

    [Test]
    public async Task FlippedByte_AnywhereInTheFile_NeverYieldsAWrongRecord()
    {
        await _box.LockAsync();
        var whole = await File.ReadAllBytesAsync(_box.Paths.ControlStore);
        var random = new Random(3);
        var refused = 0;
        for (var round = 0; round < 60; round++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(_box.Paths.ControlStore, bytes);
            File.Delete(_box.Paths.ControlStore + "-wal");
            File.Delete(_box.Paths.ControlStore + "-shm");
            using var box = new TestBox(_folder.Path);
            try
            {
                await box.UnlockAsync();
                // What no page uses may change without harm.
                Assert.That(box.Store.List(Notes).Select(n => n.Text).Order(), Is.EqualTo(Enumerable.Range(0, 7).Select(i => $"text {i}")));
            }
            catch (StoreFaultException)
            {
                refused++;
            }
        }
        Assert.That(refused, Is.GreaterThan(5));
    }

    /// <summary>A disk that forgets: the open connection still has the good pages in its cache.</summary>
    [Test]
    public async Task DamagedSectors_UnderTheOpenStore_AreFoundByTheCheck()
    {
        await _box.LockAsync();
        await _box.UnlockAsync();
        Assert.That(_box.Store.List(Notes), Has.Count.EqualTo(7));
        await using (var file = File.OpenWrite(_box.Paths.ControlStore))
        {
            for (var offset = 4096L + 3900; offset < file.Length; offset += 4096)
            {
                file.Position = offset;
                file.Write(new byte[64]);
            }
        }

        Assert.That(_box.Store.Check(), Is.False);
        Assert.That(_box.Health.Snapshot.Ready, Is.False);
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
        Assert.That(_box.Health.Snapshot.Faults[FaultCode.StoreUnreadable].Detail, Is.EqualTo("The control store cannot be used (its anchor cannot be read, errno 21)."));
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

        Assert.That(_box.Health.Snapshot.Faults[FaultCode.StoreUnreadable].Detail, Is.EqualTo("The control store cannot be used (its anchor cannot be read, errno 5)."));
        Assert.That(_box.Health.Snapshot.Ready, Is.False);
    }

    [Test]
    public async Task LockOfAnotherProcess_IsATransientFaultThatTheRecoveryClears()
    {
        using (var other = new SqliteConnection($"Data Source={_box.Paths.ControlStore};Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction(deferred: false);

            Assert.That(Assert.Throws<StoreFaultException>(() => _box.Store.Commit(t => t.Put(Notes, "x", new Note("no"))))!.Code, Is.EqualTo(FaultCode.StoreBusy));

            Assert.That(_box.Health.Snapshot.Faults[FaultCode.StoreBusy].Rollback, Is.False);
            Assert.That(_box.Store.Get(Notes, "n1"), Is.EqualTo(new Note("text 1")), "reads go on");
            Assert.That(_box.Store.TryRecover(), Is.False);
        }
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        using var loop = new StoreRecoveryLoop(_box.Store, Options.Create(new ControlStoreOptions()), time, _box.Log.For<StoreRecoveryLoop>());
        await loop.StartAsync(CancellationToken.None);
        var seen = _box.Store.Changed.Version;
        await time.PassAsync(TimeSpan.FromSeconds(3));
        await _box.Store.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That(_box.Health.Snapshot.Ready, Is.True);
        _box.Store.Commit(t => t.Put(Notes, "x", new Note("works again")));
        await loop.StopAsync(CancellationToken.None);
    }

    [TestCase(5, FaultCode.StoreBusy, Description = "SQLITE_BUSY")]
    [TestCase(6, FaultCode.StoreBusy, Description = "SQLITE_LOCKED")]
    [TestCase(7, FaultCode.StoreBusy, Description = "SQLITE_NOMEM")]
    [TestCase(9, FaultCode.StoreBusy, Description = "SQLITE_INTERRUPT")]
    [TestCase(14, FaultCode.StoreBusy, Description = "SQLITE_CANTOPEN")]
    [TestCase(10, FaultCode.StoreUnreadable, Description = "SQLITE_IOERR")]
    [TestCase(11, FaultCode.StoreCorrupt, Description = "SQLITE_CORRUPT")]
    public void SqliteError_BecomesTheFaultThatFits(int code, FaultCode fault) =>
        Assert.That(StoreFaults.From(new SqliteException("no", code), _box.Paths.ControlStore).Code, Is.EqualTo(fault));

    [Test]
    public async Task Database_ThatIsAFolder_IsNoFaultThatPasses()
    {
        await _box.LockAsync();
        foreach (var file in Directory.GetFiles(_folder.Path, "control.db*")) File.Delete(file);
        Directory.CreateDirectory(_box.Paths.ControlStore);

        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync()))!.Code, Is.EqualTo(FaultCode.StoreCorrupt).Or.EqualTo(FaultCode.StoreUnreadable));
        File.Delete(_box.Paths.ControlStoreAnchor);
        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync()))!.Code, Is.EqualTo(FaultCode.StoreUnreadable));

        _box.Store.TryRecover();
        Assert.That(_box.Health.Snapshot.Ready, Is.False);
    }

    [Test]
    public void Mend_WhileTheDamageIsThere_KeepsTheFaultAndAfterRepairClearsIt()
    {
        RawStore.Execute(_box.Paths.ControlStore, "UPDATE rows SET schema = 7 WHERE collection = 'others'");
        Assert.That(_box.Store.Check(), Is.False);

        Assert.That(_box.Store.TryClearFault(FaultCode.DecryptFailed), Is.False);
        Assert.That(_box.Health.Snapshot.Ready, Is.False);
        RawStore.Execute(_box.Paths.ControlStore, "UPDATE rows SET schema = 1 WHERE collection = 'others'");
        Assert.That(_box.Store.TryClearFault(FaultCode.DecryptFailed), Is.True);

        Assert.That(_box.Health.Snapshot.Ready, Is.True);
        _box.Store.Commit(t => t.Put(Notes, "x", new Note("works again")));
        Assert.That(_box.Store.Check(), Is.True);
    }

    [Test]
    public async Task Revisions_BeyondTheKeptOnes_StayVerifiable()
    {
        for (var i = 0; i < RevisionLog.Kept + 20; i++) _box.Store.Commit(t => t.Put(Notes, "counter", new Note($"{i}")));

        Assert.That(_box.Store.Check(), Is.True);
        await _box.LockAsync();
        await _box.UnlockAsync();
        Assert.That(_box.Store.Revision, Is.EqualTo(10 + RevisionLog.Kept + 20));
        Assert.That(RawStore.Execute(_box.Paths.ControlStore, "UPDATE revisions SET changes = randomblob(32) WHERE revision = (SELECT min(revision) FROM revisions)"), Is.EqualTo(1));
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

    private sealed record Note(string Text);
}
