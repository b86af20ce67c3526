using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Piccolo.Core.Exports;
using Piccolo.Core.Exports.Trees;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Core.Volumes;
using Piccolo.Tests.Core.Volumes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Exports;

/// <summary>Real volumes through an export onto another box: what was written is read there, and the file shows nothing of it.</summary>
[Category("NeedsRoot")]
internal sealed class ExportedGocryptfsTests
{
    private readonly string _canary = $"canary-{Guid.NewGuid():N}";
    private TempFolder _folder = null!;
    private VolumeBox _box = null!;

    [SetUp]
    public async Task SetUp() => (_folder, _box) = (new TempFolder(), await VolumeBox.StartAsync());

    [TearDown]
    public async Task TearDown()
    {
        await _box.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Volume_ExportedAndImported_HoldsWhatItHeld()
    {
        var volume = await _box.OpenAsync("blog");
        WriteAll(volume);
        var before = Describe(volume);

        var export = await ExportAsync();

        Assert.That(_box.Volumes.Mounted(), Is.EqualTo(new[] { "blog" }), "the app has it again");
        await using var other = await ImportAsync(export);
        var restored = await other.OpenAsync("blog", new WantedVolume("data", null, null, _ => throw new InvalidOperationException("It is filled already.")));
        Assert.That(Describe(restored), Is.EqualTo(before));
        Assert.That(other.Box.Log.Text, Does.Not.Contain("cannot be read"));
        await File.WriteAllTextAsync(Path.Combine(restored, "written on the other box"), "works");
        await other.CloseAsync("blog");
        var record = other.Records.Single();
        var check = await other.Service<Gocryptfs>().CheckAsync("/usr/bin/gocryptfs", other.PathsOf("blog"), record.Key!, default);
        Assert.That(check.IsDone, Is.True, $"gocryptfs -fsck: {check.Text}");
    }

    [Test]
    public async Task Export_OfAVolume_ShowsNothingInClear()
    {
        var volume = await _box.OpenAsync("blog", "canary-name");
        WriteAll(volume);
        var key = _box.Records.Single().Key!;

        var bytes = await File.ReadAllBytesAsync(await ExportAsync());

        byte[][] secrets =
        [
            Encoding.UTF8.GetBytes(_canary), "canary-name"u8.ToArray(), "gocryptfs"u8.ToArray(), key, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key)),
            Encoding.ASCII.GetBytes(Convert.ToBase64String(key)),
        ];
        Assert.That(secrets.Where(s => bytes.AsSpan().IndexOf(s) >= 0).Select(Encoding.UTF8.GetString), Is.Empty);
        var sealedFiles = _box.AllFiles()
            .Where(f => !f.StartsWith(_box.Box.Paths.Mounts, StringComparison.Ordinal) && new FileInfo(f).LinkTarget is null).ToList();
        Assert.That(sealedFiles, Has.Count.GreaterThan(10));
        foreach (var file in sealedFiles)
            Assert.That((await File.ReadAllBytesAsync(file)).AsSpan().IndexOf(Encoding.UTF8.GetBytes(_canary)), Is.Negative, file);
    }

    [Test]
    public async Task Volume_ThatWasNotOpenedSinceTheStart_ComesAlong()
    {
        WriteAll(await _box.OpenAsync("blog"));
        await _box.CloseAsync("blog");
        await _box.StopDaemonAsync();
        await _box.StartDaemonAsync();

        await using var other = await ImportAsync(await ExportAsync());

        Assert.That(await File.ReadAllTextAsync(Path.Combine(await other.OpenAsync("blog"), "text")), Is.EqualTo(_canary));
    }

    /// <summary>What the app or its image makes again is not in an export; where it was, the app begins anew, and only there.</summary>
    [Test]
    public async Task Volume_ThatWasLeftOut_BeginsAnewWhereTheAppCanFillItAgain()
    {
        await File.WriteAllTextAsync(Path.Combine(await _box.OpenAsync("blog", "thumbs"), "old"), "x");
        WriteAll(await _box.OpenAsync("blog"));

        await using var other = await ImportAsync(await ExportAsync(leaveOut: "thumbs"));

        var cache = new WantedVolume("thumbs", null, null, null);
        Assert.That((await other.RefusedAsync("blog", cache)).Sentence, Does.Contain("its files are gone"));
        var folder = await other.OpenAsync("blog", cache with { CanBeMadeAnew = true });
        Assert.That(Directory.GetFileSystemEntries(folder), Is.Empty);
        await File.WriteAllTextAsync(Path.Combine(folder, "new"), "x");
        await other.CloseAsync("blog");
        folder = await other.OpenAsync("blog", cache with { CanBeMadeAnew = true });
        Assert.That(Directory.GetFiles(folder).Select(Path.GetFileName), Is.EqualTo(new[] { "new" }), "once");
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await other.OpenAsync("blog"), "text")), Is.EqualTo(_canary));
    }

    [Test]
    public async Task Rest_ClosedVolume_IsOpenedAfterwards()
    {
        await _box.OpenAsync("blog");
        var (none, fault) = await _box.Volumes.RestAsync("blog", default);
        Assert.That((none, fault!.Kind), Is.EqualTo(((IDisposable?)null, VolumeFaultKind.Busy)));
        await _box.CloseAsync("blog");

        var (rest, _) = await _box.Volumes.RestAsync("blog", default);
        var opening = _box.OpenAsync("blog");
        var purging = _box.Volumes.PurgeAsync("blog", default);
        Assert.That(_box.Volumes.Mounted(), Is.Empty);
        Assert.That((opening.IsCompleted, purging.IsCompleted), Is.EqualTo((false, false)));
        rest!.Dispose();
        rest.Dispose();

        await Task.WhenAll(opening, purging);
        Assert.That(_box.Records, Is.Empty, "opened, then purged");
    }

    private void WriteAll(string volume)
    {
        File.WriteAllText(Path.Combine(volume, "text"), _canary);
        File.WriteAllText(Path.Combine(volume, _canary), "named");
        File.WriteAllText(Path.Combine(volume, new string('l', 240)), string.Concat(Enumerable.Repeat(_canary, 10_000)));
        Directory.CreateDirectory(Path.Combine(volume, string.Join('/', Enumerable.Repeat("deep", 40))));
        File.CreateSymbolicLink(Path.Combine(volume, "link"), _canary);
        Assert.That(Posix.Link(Path.Combine(volume, "text"), Path.Combine(volume, "second name")), Is.Zero);
        using (var holes = File.OpenHandle(Path.Combine(volume, "holes"), FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.Write(holes, Encoding.UTF8.GetBytes(_canary), 5_000_000);
            RandomAccess.SetLength(holes, 10_000_000);
        }
        new ExtendedAttribute("user.tag", Encoding.UTF8.GetBytes(_canary)).WriteTo(Path.Combine(volume, "text"));
        Assert.That(Posix.ChangeOwner(Path.Combine(volume, "text"), 999, 998), Is.Zero);
        File.SetUnixFileMode(Path.Combine(volume, "text"), UnixFileMode.UserRead);
        File.SetLastWriteTimeUtc(Path.Combine(volume, "text"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
    }

    /// <summary>Each name of the open volume with its content, links, owner, mode, time and attributes.</summary>
    private static List<string> Describe(string volume)
    {
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 };
        return [.. Directory.EnumerateFileSystemEntries(volume, "*", all).Order(StringComparer.Ordinal).Select(path =>
        {
            var details = FileDetails.Of(path);
            var content = details.IsFile ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))) : new FileInfo(path).LinkTarget;
            var attributes = details.IsLink ? [] : ExtendedAttribute.Of(path).Select(a => $"{a.Name}={Convert.ToHexString(a.Value)}");
            return $"{Path.GetRelativePath(volume, path)} {details with { Inode = 0, Device = 0, Blocks = 0, Length = details.IsFile ? details.Length : 0 }} "
                + $"{content} {string.Join(',', attributes)}";
        })];
    }

    private async Task<string> ExportAsync(string? leaveOut = null)
    {
        var library = new ExportLibrary(_box.Box.Paths);
        var writer = new ExportWriter(_box.Box.Paths, _box.Box.Store, library, new Stopped(_box, leaveOut), Options.Create(new ExportOptions()), _box.Box.Time,
            _box.Box.Log.For<ExportWriter>());
        var export = await writer.WriteAsync(ExportKind.Full, "instance", _ => { }, default);
        var copy = _folder.File("export.piccolo");
        File.Copy(library.Find(export.Id)!, copy);
        return copy;
    }

    private static Task<VolumeBox> ImportAsync(string export) => VolumeBox.StartAsync(async box =>
    {
        using var intake = new ImportIntake(
            box.Paths, box.Vault, Options.Create(new ExportOptions()), Options.Create(new VaultOptions()), box.Log.For<ImportIntake>());
        await using var file = File.OpenRead(export);
        Assert.That(await intake.ImportAsync(TestBox.Password, file, check => check(), default), Is.InstanceOf<ImportOutcome.Done>());
    });

    /// <summary>The volumes of the box, whose apps are stopped and started by closing and opening them.</summary>
    private sealed class Stopped(VolumeBox box, string? leaveOut) : IExportedVolumes
    {
        public ExportSelection Select() => new(
            [.. box.Volumes.Stored().Where(v => v.Name != leaveOut).Select(v => new ExportedVolume(v.App, v.Name, "data", v.Id))],
            [.. box.Volumes.Stored().Where(v => v.Name == leaveOut).Select(v => new LeftOutVolume(v.App, v.Name, "cache"))], "");

        public async Task<IDisposable> HoldAsync(string app, CancellationToken cancellationToken)
        {
            var names = box.Records.Where(r => r.App == app).Select(r => r.Name).ToList();
            var wasOpen = box.Volumes.Mounted().Contains(app);
            await box.CloseAsync(app);
            var (rest, fault) = await box.Volumes.RestAsync(app, cancellationToken);
            Assert.That(fault, Is.Null);
            return new Again(() =>
            {
                rest!.Dispose();
                if (wasOpen) box.Volumes.OpenAsync(app, [.. names.Select(n => new WantedVolume(n, null, null, null))], default).GetAwaiter().GetResult();
            });
        }

        private sealed class Again(Action open) : IDisposable
        {
            public void Dispose() => open();
        }
    }
}
