using System.Collections.Immutable;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Exports;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.Exports;

/// <summary>Volumes in an export: who is held while, what it says of itself, and that it is whole or not there.</summary>
[Category("Sealed")]
internal sealed class ExportVolumesTests : ExportFixture
{
    private FolderVolumes _volumes = null!;
    private ExportLibrary _library = null!;

    [SetUp]
    public void Begin()
    {
        (_volumes, _library) = (new FolderVolumes(_box.Paths), new ExportLibrary(_box.Paths));
        Put(FolderVolumes.SecondId, "second", "the second volume");
    }

    [TearDown]
    public void NothingIsLeftOver()
    {
        Assert.That(Directory.Exists(Path.Combine(_box.Paths.Exports, "unfinished")), Is.False);
        foreach (var export in Directory.Exists(_box.Paths.Exports) ? Directory.GetFiles(_box.Paths.Exports) : []) File.Delete(export);
        Directory.Delete(Path.Combine(_box.Paths.Volumes, FolderVolumes.SecondId), recursive: true);
    }

    [Test]
    public async Task Export_Apps_AreHeldOneAfterTheOtherOnlyWhileTheyAreCopied()
    {
        var phases = new List<string>();

        var export = await Writer(_library, _volumes).WriteAsync(ExportKind.Full, "instance", p => phases.Add($"{p.Phase} {p.Done}/{p.Total}"), default);

        var (first, second) = (FolderVolumes.AppOf(FolderVolumes.FirstId), FolderVolumes.AppOf(FolderVolumes.SecondId));
        Assert.That(_volumes.Calls, Is.EqualTo(new[] { $"hold {first}", $"release {first}", $"hold {second}", $"release {second}" }));
        Assert.That(phases, Does.Contain($"stopping {first} 0/").And.Contain($"copying {first} 300010/300010"));
        Assert.That(phases, Has.Exactly(1).EqualTo($"copying {second} 17/17"));
        using var fresh = new Fresh();
        var done = (ImportOutcome.Done)await fresh.TryAsync(await File.ReadAllBytesAsync(_library.Find(export.Id)!));
        Assert.That(done.Volumes, Is.EqualTo(2));
        var restored = Path.Combine(fresh.Box.Paths.Volumes, FolderVolumes.SecondId, "cipher", "second");
        Assert.That(await File.ReadAllTextAsync(restored), Is.EqualTo("the second volume"));
    }

    [Test]
    public async Task Export_WithoutVolumes_HoldsNobodyAndCarriesNone()
    {
        var export = await Writer(_library, _volumes).WriteAsync(ExportKind.Control, "instance", _ => { }, default);

        Assert.That(_volumes.Calls, Is.Empty);
        using var fresh = new Fresh();
        var done = (ImportOutcome.Done)await fresh.TryAsync(await File.ReadAllBytesAsync(_library.Find(export.Id)!));
        Assert.That((done.Kind, done.Volumes), Is.EqualTo((ExportKind.Control, (int?)null)));
        Assert.That(Directory.Exists(fresh.Box.Paths.Volumes), Is.False);
    }

    [Test]
    public async Task Contents_OfAnExport_SayWhatItHoldsAndLeavesOut()
    {
        _volumes.LeftOut = [new LeftOutVolume("photos", "thumbs", "cache")];
        var reader = new ExportReader(_box.Store, _library);
        var full = await Writer(_library, _volumes).WriteAsync(ExportKind.Full, "instance", _ => { }, default);
        var control = await Writer(_library, _volumes).WriteAsync(ExportKind.Control, "instance", _ => { }, default);

        var contents = (await reader.ContentsOfAsync(full.Id, default))!;

        Assert.That(contents.Volumes, Is.EqualTo(_volumes.Select().Volumes));
        Assert.That(contents.LeftOut, Is.EqualTo(_volumes.LeftOut));
        Assert.That(await reader.ContentsOfAsync(control.Id, default), Is.Null);
        Assert.That(await reader.ContentsOfAsync("nothing", default), Is.Null);
        var bytes = await File.ReadAllBytesAsync(_library.Find(full.Id)!);
        Assert.That(bytes.AsSpan().IndexOf("photos"u8), Is.Negative, "the names are sealed");
    }

    [Test]
    public async Task Export_AppThatCannotBeHeld_IsNoExport()
    {
        _volumes.Held = app => throw new ExportFailedException("app_not_stopped", $"{app} does not stop.");

        var failure = (await Assert.CatchAsync<ExportFailedException>(ExportAsync))!;

        Assert.That(failure.Code, Is.EqualTo("app_not_stopped"));
        AssertNoExport();
    }

    [Test]
    public async Task Export_VolumeThatIsGoneWhenItsTurnComes_IsNoExport()
    {
        _volumes.Held = app =>
        {
            if (app == FolderVolumes.AppOf(FolderVolumes.SecondId)) Directory.Delete(Path.Combine(_box.Paths.Volumes, FolderVolumes.SecondId), recursive: true);
        };

        var failure = (await Assert.CatchAsync<ExportFailedException>(ExportAsync))!;

        Assert.That(failure.Code, Is.EqualTo("volume_unreadable"));
        Assert.That(failure.Message, Does.Contain("The volume 'data' of the app 'app-fedc' cannot be read whole"));
        AssertNoExport();
        Put(FolderVolumes.SecondId, "second", "again");
    }

    [Test]
    public async Task Export_AppsThatChangeMeanwhile_IsNoExport()
    {
        var looks = 0;
        // The same before and after the copy of the store; another one at the end.
        _volumes.Stamp = () => ++looks > 2 ? "changed" : "as it was";

        Assert.That((await Assert.CatchAsync<ExportFailedException>(ExportAsync))!.Code, Is.EqualTo("apps_changed"));
        AssertNoExport();
    }

    [Test]
    public async Task Export_AppsThatChangeWhileTheStoreIsCopied_CopiesItAgain()
    {
        var looks = 0;
        _volumes.Stamp = () => ++looks == 1 ? "before" : "after";
        await ExportAsync();

        _volumes.Stamp = () => $"{++looks}";
        Assert.That((await Assert.CatchAsync<ExportFailedException>(ExportAsync))!.Code, Is.EqualTo("apps_changed"));
        Assert.That(_volumes.Calls.Count(c => c.StartsWith("hold", StringComparison.Ordinal)), Is.EqualTo(2), "of the first export only");
    }

    [Test]
    public async Task Export_DiskTooSmall_SaysSoBeforeAnybodyIsHeld()
    {
        var failure = (await Assert.CatchAsync<ExportFailedException>(() => ExportAsync(keptFree: long.MaxValue / 2)))!;

        Assert.That(failure.Code, Is.EqualTo("disk_full"));
        Assert.That(_volumes.Calls, Is.Empty);
        AssertNoExport();
    }

    [Test]
    public async Task Export_DiskThatBecomesFullMeanwhile_IsNoExport()
    {
        // What is measured before is what a running app has at that moment.
        _volumes.Held = _ => _keptFree = long.MaxValue / 2;

        var failure = (await Assert.CatchAsync<ExportFailedException>(() => ExportAsync(keptFree: 0)))!;

        Assert.That(failure.Code, Is.EqualTo("disk_full"));
        AssertNoExport();
    }

    [Test, Category("NeedsRoot")]
    public async Task Export_DiskWithoutRoom_IsNoExport()
    {
        using var disk = MountedFolder.Tmpfs(kibibytes: 1500);
        Put(FolderVolumes.SecondId, "large", new string('x', 2_000_000));
        Directory.CreateDirectory(_box.Paths.Exports);
        var failure = await Assert.CatchAsync(async () =>
        {
            // The exports alone lie on a small disk.
            Directory.Delete(_box.Paths.Exports);
            File.CreateSymbolicLink(_box.Paths.Exports, disk.Path);
            try
            {
                await ExportAsync(keptFree: -(1L << 40));
            }
            finally
            {
                Assert.That(Directory.GetFileSystemEntries(disk.Path), Is.Empty);
                File.Delete(_box.Paths.Exports);
            }
        });
        Assert.That(failure, Is.InstanceOf<IOException>());
    }

    [Test]
    public async Task Export_LockedOrCancelledMeanwhile_IsNoExport()
    {
        using var cancelled = new CancellationTokenSource();
        _volumes.Held = _ => cancelled.Cancel();
        var writer = Writer(_library, _volumes);
        await Assert.CatchAsync<OperationCanceledException>(() => writer.WriteAsync(ExportKind.Full, "instance", _ => { }, cancelled.Token));
        Assert.That(_volumes.Calls.Last(), Does.StartWith("release"));
        AssertNoExport();

        _volumes.Held = _ => _box.Store.Close();
        await Assert.CatchAsync<StoreSealedException>(ExportAsync);
        Assert.That(_volumes.Calls.Last(), Does.StartWith("release"));
        AssertNoExport();
        await _box.LockAsync();
        await _box.UnlockAsync();
    }

    [Test]
    public async Task Import_ExportOfAnEarlierRelease_BringsItsVolumesAsThen()
    {
        var bytes = await _box.ForgeAsync(async tar =>
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(_box.Paths.Volumes, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                await tar.WriteEntryAsync(path, "volumes/" + Path.GetRelativePath(_box.Paths.Volumes, path));
        });
        using var fresh = new Fresh();

        var done = (ImportOutcome.Done)await fresh.TryAsync(bytes);

        Assert.That(done.Volumes, Is.Null, "it does not say so");
        var restored = Path.Combine(fresh.Box.Paths.Volumes, FolderVolumes.SecondId, "cipher", "second");
        Assert.That(await File.ReadAllTextAsync(restored), Is.EqualTo("the second volume"));
        Assert.That(await fresh.Box.UnlockAsync(), Is.EqualTo(Piccolo.Core.Vault.VaultOutcome.Done));
    }

    private long _keptFree;

    private Task<ExportInfo> ExportAsync() => ExportAsync(0);

    private Task<ExportInfo> ExportAsync(long keptFree)
    {
        _keptFree = keptFree;
        return new ExportWriter(_box.Paths, _box.Store, _library, _volumes, Microsoft.Extensions.Options.Options.Create(new ExportOptions()), _box.Time,
            _box.Log.For<ExportWriter>())
        { KeptFree = () => _keptFree }.WriteAsync(ExportKind.Full, "instance", _ => { }, default);
    }

    private void AssertNoExport() => Assert.That(Directory.Exists(_box.Paths.Exports) ? Directory.GetFileSystemEntries(_box.Paths.Exports) : [], Is.Empty);

    private void Put(string id, string name, string text)
    {
        var cipher = Directory.CreateDirectory(Path.Combine(_box.Paths.Volumes, id, "cipher"));
        File.WriteAllText(Path.Combine(cipher.FullName, name), text);
    }
}
