using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Exports;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Exports;

[Category("Sealed")]
internal sealed class ExportBesideCommitsTests
{
    private static readonly StoreCollection<Note> Notes = new("notes");

    [Test]
    public async Task Export_WhileItIsWritten_CommitsGoOnAndAreNotInIt()
    {
        using var folder = new TempFolder();
        using var box = new TestBox(folder.Path);
        await box.SetUpAsync();
        await box.UnlockAsync();
        box.Store.Commit(t => t.Put(Notes, "before", new Note("exported")));
        var revision = box.Store.Revision;
        var library = new ExportLibrary(box.Paths);
        var writer = new ExportWriter(box.Paths, box.Store, library, new FolderVolumes(box.Paths), Options.Create(new ExportOptions()), box.Time,
            box.Log.For<ExportWriter>());
        var commits = 0;

        var export = await writer.WriteAsync(ExportKind.Control, "instance", _ => CommitBeside(), CancellationToken.None);

        Assert.That(commits, Is.GreaterThanOrEqualTo(2), "at the beginning and after the content");
        Assert.That((export.Revision, box.Store.Revision), Is.EqualTo((revision, revision + commits)));
        using var elsewhere = new TempFolder();
        using var fresh = new TestBox(elsewhere.Path);
        using var intake = new ImportIntake(fresh.Paths, fresh.Vault, Options.Create(new ExportOptions()), Options.Create(new VaultOptions()),
            fresh.Log.For<ImportIntake>());
        await using (var file = File.OpenRead(library.Find(export.Id)!))
            Assert.That(await intake.ImportAsync(TestBox.Password, file, check => check(), CancellationToken.None), Is.InstanceOf<ImportOutcome.Done>());
        await fresh.UnlockAsync();
        Assert.That(fresh.Store.List(Notes), Is.EqualTo(new[] { new Note("exported") }), "the export is of one moment");

        // From another thread, as a request comes: a lock that the export held would not be its own.
        void CommitBeside()
        {
            var name = $"beside{++commits}";
            var commit = Task.Run(() => box.Store.Commit(t => t.Put(Notes, name, new Note("later"))));
            Assert.That(commit.Wait(TimeSpan.FromSeconds(10)), Is.True, "a commit waits for the export");
            Assert.That(box.Store.Get(Notes, name), Is.Not.Null);
        }
    }

    private sealed record Note(string Text);
}
