using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Exports;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;
using Piccolo.Tests.Core.Exports;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.ControlStore;

[Category("Sealed")]
internal sealed class SealedStoreTests : OwnedBoxFixture
{
    private const string Canary = "canary-7f3a91";

    private static readonly StoreCollection<Note> Notes = new("notes");

    [Test]
    public void Commit_PutAndGet_RoundTripsAndRaisesTheRevisionByOne()
    {
        var before = Box.Store.Revision;
        var seen = Box.Store.Changed.Version;

        Box.Store.Commit(t => t.Put(Notes, "a", new Note("hello")));

        Assert.That(Box.Store.Get(Notes, "a"), Is.EqualTo(new Note("hello")));
        Assert.That(Box.Store.Revision, Is.EqualTo(before + 1));
        Assert.That(Box.Store.Changed.Version, Is.EqualTo(seen + 1));
    }

    [Test]
    public void Commit_ThatThrows_LeavesEverythingAsItWas()
    {
        Box.Store.Commit(t => t.Put(Notes, "a", new Note("old")));
        var revision = Box.Store.Revision;

        Assert.That(() => Box.Store.Commit(t =>
        {
            t.Put(Notes, "a", new Note("new"));
            throw new InvalidOperationException();
        }), Throws.InvalidOperationException);
        Assert.That(Box.Store.Get(Notes, "a"), Is.EqualTo(new Note("old")));
        Assert.That(Box.Store.Revision, Is.EqualTo(revision));
    }

    [Test]
    public void Commit_WithoutAWrite_KeepsTheRevision()
    {
        var revision = Box.Store.Revision;

        Assert.That(Box.Store.Commit(t => t.Delete(Notes, "nothing")), Is.False);
        Assert.That(Box.Store.Revision, Is.EqualTo(revision));
    }

    private enum OldColour { Red, Green }

    private enum NewColour { Red, Green, Blue }

    private sealed record OldPart(string Name, OldColour Colour);

    private sealed record NewPart(string Name, NewColour Colour, string? Size = null);

    private sealed record OldThing(string Name, OldPart Main, IReadOnlyList<OldPart> Parts);

    private sealed record NewThing(string Name, NewPart Main, IReadOnlyList<NewPart> Parts, string? Owner = null);

    [Test]
    public void List_OneRowWithAValueOfANewerRelease_LeavesOutThatRowAlone()
    {
        StoreCollection<OldPart> old = new("things");
        StoreCollection<NewPart> newer = new("things");
        Box.Store.Commit(t => t.Put(newer, "a", new NewPart("a", NewColour.Green)));
        Box.Store.Commit(t => t.Put(newer, "b", new NewPart("b", NewColour.Blue)));

        for (var i = 0; i < 3; i++) Assert.That(Box.Store.List(old), Is.EqualTo(new[] { new OldPart("a", OldColour.Green) }));

        Assert.That(Box.Store.Get(old, "b"), Is.Null);
        Assert.That(Box.Store.UnreadableKeys(old), Is.EqualTo(new[] { "b" }));
        Assert.That(Box.Log.Entries.Where(e => e.EventId == 6206).Select(e => e.Message),
            Is.EqualTo(new[] { "A row of things was written by a newer version and is left out: the value at $.colour is not known to this version." }));
        Assert.That(Box.Store.Get(newer, "b"), Is.EqualTo(new NewPart("b", NewColour.Blue)), "it is still there");
    }

    [Test]
    public void List_OneRowOfANewerSchema_LeavesItOutAndRefusesToChangeIt()
    {
        StoreCollection<OldPart> old = new("things");
        StoreCollection<NewPart> newer = new("things", Schema: 2);
        Box.Store.Commit(t => t.Put(old, "a", new OldPart("a", OldColour.Red)));
        Box.Store.Commit(t => t.Put(newer, "b", new NewPart("b", NewColour.Red)));

        Assert.That(Box.Store.List(old), Is.EqualTo(new[] { new OldPart("a", OldColour.Red) }));
        Assert.That(Box.Store.List(newer), Has.Count.EqualTo(2), "a newer release reads both");
        Assert.That(Assert.Throws<StoreFaultException>(() => Box.Store.Commit(t => t.Put(old, "b", new OldPart("b", OldColour.Red))))!.Code,
            Is.EqualTo(FaultCode.SchemaTooNew));
        Assert.That(Box.Store.Get(newer, "b"), Is.EqualTo(new NewPart("b", NewColour.Red)));
    }

    [Test]
    public void Put_OverARecordOfANewerRelease_KeepsTheMembersThatThisOneDoesNotKnow()
    {
        StoreCollection<OldThing> old = new("things");
        StoreCollection<NewThing> newer = new("things");
        Box.Store.Commit(t =>
            t.Put(newer, "a", new NewThing("a", new NewPart("m", NewColour.Red, "XL"), [new("p", NewColour.Red, "S"), new("q", NewColour.Green, "M")], "me")));

        Box.Store.Commit(t => t.Put(old, "a", t.Get(old, "a")! with { Name = "renamed", Main = new OldPart("m", OldColour.Green) }));

        var kept = Box.Store.Get(newer, "a")!;
        Assert.That((kept.Name, kept.Main, kept.Owner), Is.EqualTo(("renamed", new NewPart("m", NewColour.Green, "XL"), "me")));
        Assert.That(kept.Parts, Is.EqualTo(new[] { new NewPart("p", NewColour.Red, "S"), new NewPart("q", NewColour.Green, "M") }));
        Box.Store.Commit(t => t.Put(old, "a", t.Get(old, "a")! with { Parts = [new("other", OldColour.Red), new("q", OldColour.Green)] }));
        Assert.That(Box.Store.Get(newer, "a")!.Parts, Is.EqualTo(new[] { new NewPart("other", NewColour.Red), new NewPart("q", NewColour.Green, "M") }));
    }

    [Test]
    public async Task Read_WhileSealed_Throws()
    {
        await Box.LockAsync();

        Assert.That(() => Box.Store.List(Notes), Throws.InstanceOf<StoreSealedException>());
    }

    [Test]
    public async Task Reopen_AfterLock_FindsTheRecords()
    {
        Box.Store.Commit(t => t.Put(Notes, "a", new Note("kept")));
        await Box.LockAsync();
        await Box.UnlockAsync();

        Assert.That(Box.Store.List(Notes), Is.EqualTo(new[] { new Note("kept") }));
    }

    [Test]
    public async Task RawFiles_ShowNeitherKeysNorRecords()
    {
        Box.Store.Commit(t => t.Put(Notes, Canary, new Note(Canary)));
        new StoreSnapshots(Box.Paths, Box.Time).Take(Box.Store.CopyTo);
        var writer = new ExportWriter(Box.Paths, Box.Store, new ExportLibrary(Box.Paths), new FolderVolumes(Box.Paths),
            Options.Create(new ExportOptions()), Box.Time,
            Box.Log.For<ExportWriter>());
        await writer.WriteAsync(ExportKind.Full, "instance", _ => { }, CancellationToken.None);
        await Box.LockAsync();

        var files = Directory.GetFiles(Box.Paths.Root, "*", SearchOption.AllDirectories);
        Assert.That(files.Select(f => Path.GetDirectoryName(Path.GetRelativePath(Box.Paths.Root, f))),
            Does.Contain("snapshots").And.Contain("exports").And.Contain(""));
        foreach (var file in files)
            Assert.That(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)), Does.Not.Contain(Canary), file);
    }

    [Test]
    public async Task Open_RowsSwappedOnDisk_IsRefusedAndLatched()
    {
        Box.Store.Commit(t =>
        {
            t.Put(Notes, "a", new Note("first"));
            t.Put(Notes, "b", new Note("second"));
        });
        await Box.LockAsync();
        Execute("""
            UPDATE rows SET box = (SELECT other.box FROM rows AS other WHERE other.id <> rows.id AND other.collection = 'notes') WHERE collection = 'notes'
            """);

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => Box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.DecryptFailed));
        Assert.That(Box.Health.Snapshot.Ready, Is.False);
        Assert.That(Box.Vault.State, Is.EqualTo(VaultState.Locked));
    }

    [Test]
    public async Task Open_FileOverwrittenWithJunk_IsStoreCorrupt()
    {
        await Box.LockAsync();
        await File.WriteAllBytesAsync(Box.Paths.ControlStore, Encoding.ASCII.GetBytes(new string('x', 8192)));

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => Box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.StoreCorrupt));
        Assert.That(Box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.StoreCorrupt }));
    }

    [Test]
    public async Task Open_StoreOfANewerVersion_IsSchemaTooNew()
    {
        await Box.LockAsync();
        Execute("UPDATE meta SET min_reader = 99");

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => Box.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.SchemaTooNew));
    }

    [Test]
    public async Task Connection_ForTheLifeOfAnUnlock_IsOneWithItsSettings()
    {
        var first = Box.Store.Connection!;
        Parallel.For(0, 20, i => Box.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"{i}"))));
        Box.Store.List(Notes);
        Assert.That(Box.Store.Connection, Is.SameAs(first));
        Assert.That(Settings(first), Is.EqualTo(("wal", 2L, 0L)), "journal_mode, synchronous = FULL, trusted_schema");

        Box.Health.Latch(FaultCode.StoreCorrupt, HealthComponents.Store, "as if");
        Assert.That(Box.Store.TryClearFault(FaultCode.StoreCorrupt), Is.True);
        var mended = Box.Store.Connection!;
        Assert.That(mended, Is.Not.SameAs(first));
        Assert.That(first.State, Is.EqualTo(System.Data.ConnectionState.Closed));
        Assert.That(Settings(mended), Is.EqualTo(("wal", 2L, 0L)));

        await Box.LockAsync();
        Assert.That(Box.Store.Connection, Is.Null);
        Assert.That(mended.State, Is.EqualTo(System.Data.ConnectionState.Closed));
    }

    [Test]
    public void Commit_FromManyThreads_LosesNothing()
    {
        Parallel.For(0, 50, i => Box.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"{i}"))));

        Assert.That(Box.Store.List(Notes), Has.Count.EqualTo(50));
        Assert.That(Box.Store.Revision, Is.EqualTo(50));
    }

    private static (string Journal, long Synchronous, long TrustedSchema) Settings(SqliteConnection connection)
    {
        return ((string)Pragma("journal_mode"), (long)Pragma("synchronous"), (long)Pragma("trusted_schema"));

        object Pragma(string name)
        {
            using var command = connection.CreateCommand();
#pragma warning disable CA2100
            command.CommandText = "PRAGMA " + name;
#pragma warning restore CA2100
            return command.ExecuteScalar()!;
        }
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Box.Paths.ControlStore};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private sealed record Note(string Text);
}
