using Piccolo.Core.ControlStore;
using Piccolo.Core.Vault;
using Piccolo.DevStack;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.ControlStore;

/// <summary>SIGKILL while the next release migrates the store: this release and the next one both open it, whole.</summary>
[Category("Kill")]
[Category("Sealed")]
internal sealed class KilledMigrationTests
{
    public const string Verb = "migrate";
    private static readonly StoreCollection<Note> Notes = new("notes");
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>What the killed process does: opens the store as the next release, which copies it first and then migrates.</summary>
    public static async Task<int> MigrateAsync(string folder)
    {
        using var box = new TestBox(folder, StoreMigrationTests.Next);
        return await box.UnlockAsync() == VaultOutcome.Done ? 0 : 1;
    }

    /// <param name="events">Of the file system in the state folder, after which the process is killed.</param>
    [TestCase(1)]
    [TestCase(4)]
    [TestCase(8)]
    [TestCase(12)]
    [TestCase(2, Category = "Slow")]
    [TestCase(6, Category = "Slow")]
    [TestCase(10, Category = "Slow")]
    [TestCase(16, Category = "Slow")]
    [TestCase(24, Category = "Slow")]
    public async Task Migration_Killed_BothReleasesOpenTheStore(int events)
    {
        using var folder = new TempFolder();
        var state = Directory.CreateDirectory(folder.File("state")).FullName;
        using (var now = new TestBox(state))
        {
            await now.SetUpAsync();
            await now.UnlockAsync();
            for (var i = 0; i < 200; i++) now.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"kept {i}")));
            await now.LockAsync();
        }

        await KillAfterAsync(events, state, folder.File("victim.log"));

        foreach (var schema in (StoreSchema[])[StoreSchema.Current, StoreMigrationTests.Next])
        {
            using var box = new TestBox(state, schema);
            Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
            Assert.That(box.Store.List(Notes), Has.Count.EqualTo(200));
            Assert.That(box.Store.Check(), Is.True);
            Assert.That(box.Health.Snapshot.Ready, Is.True);
            await box.LockAsync();
        }
        Assert.That(RawStore.Execute(Path.Combine(state, "control.db"), "UPDATE hints SET value = value"), Is.EqualTo(1), "the migration has run, once");
    }

    private static async Task KillAfterAsync(int events, string state, string log)
    {
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var seen = 0;
        using var watcher = new FileSystemWatcher(state) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
        watcher.Created += (_, _) => Count();
        watcher.Changed += (_, _) => Count();
        watcher.Renamed += (_, _) => Count();
        watcher.Deleted += (_, _) => Count();
        watcher.EnableRaisingEvents = true;

        await using var victim = ChildProcess.Start(new ChildProcessStart("dotnet", [typeof(KilledMigrationTests).Assembly.Location, Verb, state], log, "dotnet-sdk-10.0"));
        var first = await Task.WhenAny(enough.Task, victim.Exited).WaitAsync(Limit);
        if (first == victim.Exited) Assert.That(victim.ExitCode, Is.Zero, "it was faster than the kill: " + await File.ReadAllTextAsync(log));
        Assert.That(Volatile.Read(ref seen), Is.Positive, "it did something before it ended");

        void Count()
        {
            if (Interlocked.Increment(ref seen) >= events) enough.TrySetResult();
        }
    }

    private sealed record Note(string Text);
}
