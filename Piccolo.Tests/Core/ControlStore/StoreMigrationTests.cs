using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>From one release to the next and back, and the copies that are made on the way.</summary>
[Category("Sealed")]
internal sealed class StoreMigrationTests
{
    private static readonly StoreCollection<Note> Notes = new("notes");

    /// <summary>The release after this one: one more, expanding, migration.</summary>
    internal static readonly StoreSchema Next = new(2, [.. StoreSchema.Current.Migrations, typeof(StoreMigrationTests).Assembly]);

    private TempFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TempFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task ExpandingMigration_AndBack_KeepsTheStoreReadableAndWritable()
    {
        using (var now = new TestBox(_folder.Path))
        {
            await now.SetUpAsync();
            await now.UnlockAsync();
            now.Store.Commit(t => t.Put(Notes, "a", new Note("by this release")));
        }
        using (var later = new TestBox(_folder.Path, Next))
        {
            await later.UnlockAsync();
            later.Store.Commit(t => t.Put(Notes, "b", new Note("by the next")));
            Assert.That(Scalar("SELECT count(*) FROM hints"), Is.EqualTo(1), "the migration has run");
            Assert.That(new StoreSnapshots(later.Paths, later.Time).List(), Has.Count.EqualTo(1), "and a snapshot was taken before it");
        }

        using var rolledBack = new TestBox(_folder.Path);
        await rolledBack.UnlockAsync();

        Assert.That(rolledBack.Store.List(Notes), Is.EquivalentTo(new[] { new Note("by this release"), new Note("by the next") }));
        rolledBack.Store.Commit(t => t.Put(Notes, "c", new Note("by this release again")));
        Assert.That(rolledBack.Store.Check(), Is.True);
        await rolledBack.LockAsync();
        using var forward = new TestBox(_folder.Path, Next);
        await forward.UnlockAsync();
        Assert.That(forward.Store.List(Notes), Has.Count.EqualTo(3));
    }

    [Test]
    public async Task ContractingMigration_ThenThePreviousRelease_IsSchemaTooNewAndTouchesNothing()
    {
        using (var later = new TestBox(_folder.Path, Next))
        {
            await later.SetUpAsync();
            await later.UnlockAsync();
            await later.LockAsync();
        }
        RawStore.Execute(_folder.File("control.db"), "UPDATE meta SET min_reader = 2");
        using var previous = new TestBox(_folder.Path);

        var thrown = await Assert.CatchAsync<StoreFaultException>(() => previous.UnlockAsync());

        Assert.That(thrown!.Code, Is.EqualTo(FaultCode.SchemaTooNew));
        using var later2 = new TestBox(_folder.Path, Next);
        await later2.UnlockAsync();
        Assert.That(later2.Store.IsOpen, Is.True);
    }

    [Test]
    public async Task Snapshots_AreWholeSealedPrivateAndAtMostSeven()
    {
        using var box = await OwnedAsync();
        var snapshots = new StoreSnapshots(box.Paths, box.Time);
        for (var day = 0; day < 10; day++)
        {
            box.Store.Commit(t => t.Put(Notes, "day", new Note($"{day}")));
            snapshots.Take(box.Store.CopyTo);
            box.Time.Advance(TimeSpan.FromDays(1));
        }

        var kept = snapshots.List();

        Assert.That(kept.Select(s => s.Revision), Is.EqualTo(new[] { 11, 10, 9, 8, 7, 6, 5 }));
        Assert.That(File.GetUnixFileMode(kept[0].Path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(Directory.GetFiles(box.Paths.Snapshots), Has.Length.EqualTo(7));
        await box.LockAsync();
        File.Copy(kept[3].Path, box.Paths.ControlStore, overwrite: true);
        File.Delete(box.Paths.ControlStoreAnchor);
        await box.UnlockAsync();
        Assert.That(box.Store.Get(Notes, "day"), Is.EqualTo(new Note("6")));
    }

    [Test]
    public async Task UpkeepTurns_TakeOneSnapshotADayOfChange()
    {
        using var box = await OwnedAsync();
        var snapshots = new StoreSnapshots(box.Paths, box.Time);
        using var loop = new StoreUpkeepLoop(box.Store, snapshots, Options.Create(new ControlStoreOptions()), box.Time, box.Log.For<StoreUpkeepLoop>());

        loop.TakeTurn();
        Assert.That(snapshots.List(), Has.Count.EqualTo(1), "the first turn takes the first");
        box.Store.Commit(t => t.Put(Notes, "b", new Note("more")));
        loop.TakeTurn();
        Assert.That(snapshots.List(), Has.Count.EqualTo(1), "not twice a day");
        box.Time.Advance(TimeSpan.FromDays(1));
        loop.TakeTurn();
        Assert.That(snapshots.List(), Has.Count.EqualTo(2));
        box.Time.Advance(TimeSpan.FromDays(1));
        loop.TakeTurn();
        Assert.That(snapshots.List(), Has.Count.EqualTo(2), "nothing changed");
        await box.LockAsync();
        loop.TakeTurn();
        Assert.That(snapshots.List(), Has.Count.EqualTo(2), "sealed");
    }

    [Test]
    public async Task Snapshots_AfterAMomentWithTheClockAhead_AreTakenAndTheLatestStay()
    {
        using var box = await OwnedAsync();
        var snapshots = new StoreSnapshots(box.Paths, box.Time);
        using var loop = new StoreUpkeepLoop(box.Store, snapshots, Options.Create(new ControlStoreOptions()), box.Time, box.Log.For<StoreUpkeepLoop>());
        var ahead = new StoreSnapshots(box.Paths, new SteppedTime(box.Time.GetUtcNow().AddYears(10)));
        ahead.Take(box.Store.CopyTo);

        for (var day = 0; day < 9; day++)
        {
            box.Store.Commit(t => t.Put(Notes, "day", new Note($"{day}")));
            loop.TakeTurn();
            box.Time.Advance(TimeSpan.FromDays(1));
        }

        Assert.That(snapshots.List().Select(s => s.Revision), Is.EqualTo(new[] { 10, 9, 8, 7, 6, 5, 4 }));
    }

    /// <summary>An older store was put back: what was copied of the newer one must not keep the copies of this one away.</summary>
    [Test]
    public async Task Snapshots_OfRevisionsThatTheStoreDoesNotHave_GoBeforeThoseThatItHas()
    {
        using var box = await OwnedAsync();
        var snapshots = new StoreSnapshots(box.Paths, box.Time);
        using var loop = new StoreUpkeepLoop(box.Store, snapshots, Options.Create(new ControlStoreOptions()), box.Time, box.Log.For<StoreUpkeepLoop>());
        loop.TakeTurn();
        var first = snapshots.List().Single().Path;
        for (var revision = 100; revision < 107; revision++) File.Copy(first, Path.Combine(box.Paths.Snapshots, $"control-20261124T120000Z-r{revision}.db"));

        for (var day = 0; day < 3; day++)
        {
            box.Time.Advance(TimeSpan.FromDays(1));
            box.Store.Commit(t => t.Put(Notes, "day", new Note($"{day}")));
            loop.TakeTurn();
        }

        Assert.That(snapshots.List().Select(s => s.Revision), Is.EqualTo(new[] { 106, 105, 104, 4, 3, 2, 1 }));
    }

    [Test]
    public async Task UpkeepLoop_FindsDamageAfterFiveMinutes()
    {
        using var box = await OwnedAsync();
        RawStore.Execute(box.Paths.ControlStore, "DELETE FROM rows");
        using var loop = new StoreUpkeepLoop(box.Store, new StoreSnapshots(box.Paths, box.Time), Options.Create(new ControlStoreOptions()), box.Time,
            box.Log.For<StoreUpkeepLoop>());
        var seen = box.Store.Changed.Version;
        await loop.StartAsync(CancellationToken.None);
        Assert.That(box.Health.Snapshot.Ready, Is.True);

        await box.Time.PassAsync(TimeSpan.FromMinutes(5));
        await box.Store.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That(box.Health.Snapshot.Faults.Keys, Is.EqualTo(new[] { FaultCode.StoreCorrupt }));
        await loop.StopAsync(CancellationToken.None);
    }

    private async Task<TestBox> OwnedAsync()
    {
        var box = new TestBox(_folder.Path);
        await box.SetUpAsync();
        await box.UnlockAsync();
        box.Store.Commit(t => t.Put(Notes, "a", new Note("first")));
        return box;
    }

    private long Scalar(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_folder.File("control.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        return (long)command.ExecuteScalar()!;
    }

    private sealed record Note(string Text);
}
