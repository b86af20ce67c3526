using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>What a disk, another process or a careless hand does to the store's file, and which fault it is.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class StoreIntegrityDamageTests : StoreIntegrityFixture
{
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
    public async Task LockOfAnotherProcess_IsATransientFaultThatTheRecoveryClears()
    {
        using (var other = new SqliteConnection($"Data Source={_box.Paths.ControlStore};Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction(deferred: false);

            Assert.That(Assert.Throws<StoreFaultException>(() => _box.Store.Commit(t => t.Put(Notes, "x", new Note("no"))))!.Code,
                Is.EqualTo(FaultCode.StoreBusy));

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

        Assert.That((await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync()))!.Code,
            Is.EqualTo(FaultCode.StoreCorrupt).Or.EqualTo(FaultCode.StoreUnreadable));
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
}
