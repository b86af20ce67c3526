using System.Text;
using Microsoft.Data.Sqlite;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.ControlStore;

internal sealed class SealedStoreTests
{
    private const string Canary = "canary-7f3a91";

    private static readonly StoreCollection<Note> Notes = new("notes");

    private TempFolder _folder = null!;
    private TestBox _box = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.UnlockAsync();
    }

    [TearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void Commit_PutAndGet_RoundTripsAndRaisesTheRevisionByOne()
    {
        var before = _box.Store.Revision;
        var seen = _box.Store.Changed.Version;

        _box.Store.Commit(t => t.Put(Notes, "a", new Note("hello")));

        Assert.That(_box.Store.Get(Notes, "a"), Is.EqualTo(new Note("hello")));
        Assert.That(_box.Store.Revision, Is.EqualTo(before + 1));
        Assert.That(_box.Store.Changed.Version, Is.EqualTo(seen + 1));
    }

    [Test]
    public void Commit_ThatThrows_LeavesEverythingAsItWas()
    {
        _box.Store.Commit(t => t.Put(Notes, "a", new Note("old")));
        var revision = _box.Store.Revision;

        Assert.That(() => _box.Store.Commit(t =>
        {
            t.Put(Notes, "a", new Note("new"));
            throw new InvalidOperationException();
        }), Throws.InvalidOperationException);
        Assert.That(_box.Store.Get(Notes, "a"), Is.EqualTo(new Note("old")));
        Assert.That(_box.Store.Revision, Is.EqualTo(revision));
    }

    [Test]
    public void Commit_WithoutAWrite_KeepsTheRevision()
    {
        var revision = _box.Store.Revision;

        Assert.That(_box.Store.Commit(t => t.Delete(Notes, "nothing")), Is.False);
        Assert.That(_box.Store.Revision, Is.EqualTo(revision));
    }

    [Test]
    public async Task Read_WhileSealed_Throws()
    {
        await _box.LockAsync();

        Assert.That(() => _box.Store.List(Notes), Throws.InstanceOf<StoreSealedException>());
    }

    [Test]
    public async Task Reopen_AfterLock_FindsTheRecords()
    {
        _box.Store.Commit(t => t.Put(Notes, "a", new Note("kept")));
        await _box.LockAsync();
        await _box.UnlockAsync();

        Assert.That(_box.Store.List(Notes), Is.EqualTo(new[] { new Note("kept") }));
    }

    [Test]
    public async Task RawFiles_ShowNeitherKeysNorRecords()
    {
        _box.Store.Commit(t => t.Put(Notes, Canary, new Note(Canary)));
        await _box.LockAsync();

        foreach (var file in Directory.EnumerateFiles(_folder.Path))
            Assert.That(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)), Does.Not.Contain(Canary), file);
    }

    [Test]
    public async Task Open_RowsSwappedOnDisk_IsRefusedAndLatched()
    {
        _box.Store.Commit(t =>
        {
            t.Put(Notes, "a", new Note("first"));
            t.Put(Notes, "b", new Note("second"));
        });
        await _box.LockAsync();
        Execute("""
            UPDATE rows SET box = (SELECT other.box FROM rows AS other WHERE other.id <> rows.id AND other.collection = 'notes') WHERE collection = 'notes'
            """);

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.DecryptFailed));
        Assert.That(_box.Health.Snapshot.Ready, Is.False);
        Assert.That(_box.Vault.State, Is.EqualTo(VaultState.Locked));
    }

    [Test]
    public async Task Open_FileOverwrittenWithJunk_IsStoreCorrupt()
    {
        await _box.LockAsync();
        await File.WriteAllBytesAsync(_box.Paths.ControlStore, Encoding.ASCII.GetBytes(new string('x', 8192)));

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.StoreCorrupt));
        Assert.That(_box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.StoreCorrupt }));
    }

    [Test]
    public async Task Open_StoreOfANewerVersion_IsSchemaTooNew()
    {
        await _box.LockAsync();
        Execute("UPDATE meta SET min_reader = 99");

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => _box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.SchemaTooNew));
    }

    [Test]
    public void Commit_FromManyThreads_LosesNothing()
    {
        Parallel.For(0, 50, i => _box.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"{i}"))));

        Assert.That(_box.Store.List(Notes), Has.Count.EqualTo(50));
        Assert.That(_box.Store.Revision, Is.EqualTo(50));
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_box.Paths.ControlStore};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private sealed record Note(string Text);
}
