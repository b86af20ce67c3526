using System.Text;
using Piccolo.Core.Exports;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.Exports;

/// <summary>A box to a file and back.</summary>
[Category("Sealed")]
internal sealed class ExportImportTests : ExportFixture
{
    [Test]
    public async Task FullExport_ImportedOnAFreshBox_IsTheSameBox()
    {
        var (library, export) = await ExportAsync(ExportKind.Full);
        using var fresh = new Fresh();

        await using (var file = File.OpenRead(library.Find(export.Id)!))
            Assert.That(await fresh.Intake.ImportAsync(TestBox.Password, file, check => check(), CancellationToken.None), Is.InstanceOf<ImportOutcome.Done>());

        Assert.That(fresh.Box.Vault.State, Is.EqualTo(VaultState.Locked));
        Assert.That(await fresh.Box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(fresh.Box.Store.List(Notes), Is.EquivalentTo(_box.Store.List(Notes)));
        var cipher = Path.Combine(fresh.Box.Paths.Volumes, FolderVolumes.FirstId, "cipher");
        Assert.That(await File.ReadAllTextAsync(Path.Combine(cipher, "block")), Is.EqualTo("ciphertext"));
        Assert.That(File.GetUnixFileMode(Path.Combine(cipher, "block")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead));
        Assert.That(new FileInfo(Path.Combine(cipher, "large")).Length, Is.EqualTo(300_000));
        Assert.That(new FileInfo(Path.Combine(cipher, "link")).LinkTarget, Is.EqualTo("some-encrypted-target"));
        Assert.That(Directory.Exists(Path.Combine(cipher, "empty")), Is.True);
        fresh.Box.Store.Commit(t => t.Put(Notes, "more", new Note("works")));
        Assert.That(fresh.Box.Store.Check(), Is.True);
        await using var again = File.OpenRead(library.Find(export.Id)!);
        Assert.That(await fresh.Intake.ImportAsync(TestBox.Password, again, check => check(), CancellationToken.None),
            Is.InstanceOf<ImportOutcome.AlreadyClaimed>());
    }

    [Test]
    public async Task Import_WithTheRecoveryWords_IsTheSameBox()
    {
        var (_, words) = await _box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None);
        var (library, export) = await ExportAsync(ExportKind.Full);
        using var fresh = new Fresh();

        await using (var file = File.OpenRead(library.Find(export.Id)!))
            Assert.That(await fresh.Intake.ImportAsync(string.Join(' ', words), file, check => check(), CancellationToken.None),
                Is.InstanceOf<ImportOutcome.Done>());

        Assert.That(await fresh.Box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(fresh.Box.Store.List(Notes), Is.EquivalentTo(_box.Store.List(Notes)));
    }

    [Test]
    public async Task Export_ShowsNothingAndIsPrivate()
    {
        var (library, export) = await ExportAsync(ExportKind.Full);
        var path = library.Find(export.Id)!;

        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path)),
            Does.Not.Contain("notes").And.Not.Contain("SQLite").And.Not.Contain("ciphertext"));
        Assert.That(Directory.Exists(Path.Combine(_box.Paths.Exports, "unfinished")), Is.False);
    }

    [Test]
    public async Task Retention_KeepsTheNewestThree()
    {
        for (var i = 0; i < 5; i++)
        {
            await ExportAsync(ExportKind.Control);
            _box.Time.Advance(TimeSpan.FromMinutes(1));
        }
        var (library, newest) = await ExportAsync(ExportKind.Control);

        var kept = await library.ListAsync(CancellationToken.None);

        Assert.That(kept, Has.Count.EqualTo(3));
        Assert.That(kept[0], Is.EqualTo(newest));
        Assert.That(library.Delete("../keyset"), Is.False);
        Assert.That(library.Find("../../etc/passwd"), Is.Null);
        Assert.That(library.Delete(newest.Id), Is.True);
        Assert.That(await library.ListAsync(CancellationToken.None), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Import_WrongPassword_WritesNothing()
    {
        using var fresh = new Fresh();
        Assert.That(await fresh.TryAsync(await BytesAsync(), "not the password"), Is.InstanceOf<ImportOutcome.WrongPassword>());
        fresh.AssertUntouched();
    }

    [Test]
    public async Task Import_LargerThanTheLimit_IsRefusedWhileItIsRead()
    {
        using var fresh = new Fresh(maxBytes: 70_000);

        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(await BytesAsync())).Code, Is.EqualTo("export_too_large"));
        fresh.AssertUntouched();
    }

    [Test, Category("NeedsRoot")]
    public async Task Import_DiskTooSmall_IsADiskFaultAndLeavesTheBoxUnclaimed()
    {
        var bytes = await BytesAsync();
        using var disk = MountedFolder.Tmpfs(kibibytes: 100);
        using var fresh = new Fresh(folder: disk.Path);

        Assert.That(await fresh.TryAsync(bytes), Is.EqualTo(new ImportOutcome.DiskFault(FaultCode.DiskFull)));
        fresh.AssertUntouched();
    }

    [Test]
    public async Task Placement_KilledAfterTheDecision_IsFinishedAtTheNextStart()
    {
        using var fresh = new Fresh();
        await fresh.TryAsync(await BytesAsync());
        // The same box as if the process had died right after the decisive rename.
        using var other = new TempFolder();
        var ready = Directory.CreateDirectory(other.File("import.ready"));
        File.Copy(fresh.Box.Paths.KeySet, Path.Combine(ready.FullName, "keyset.json"));
        File.Copy(fresh.Box.Paths.ControlStore, other.File("control.db"));
        Directory.CreateDirectory(other.File("import.unfinished"));
        var paths = new Piccolo.Core.Primitives.StatePaths(other.Path);

        ImportPlacement.Finish(paths);

        using var box = new TestBox(other.Path);
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(box.Store.List(Notes), Has.Count.EqualTo(40));
        Assert.That(Directory.GetDirectories(other.Path), Is.Empty);
    }

    [Test]
    public async Task Export_KilledWhileItIsWritten_IsNotListedAndGoesAtTheNextStart()
    {
        var (library, export) = await ExportAsync(ExportKind.Control);
        var unfinished = Directory.CreateDirectory(Path.Combine(_box.Paths.Exports, "unfinished")).FullName;
        File.Copy(library.Find(export.Id)!, Path.Combine(unfinished, "export"));
        Assert.That((await library.ListAsync(CancellationToken.None)).Select(e => e.Id), Does.Contain(export.Id).And.Not.Contain("export"));

        ExportLibrary.DropUnfinished(_box.Paths);

        Assert.That(Directory.Exists(unfinished), Is.False);
        Assert.That(library.Find(export.Id), Is.Not.Null);
    }
}
