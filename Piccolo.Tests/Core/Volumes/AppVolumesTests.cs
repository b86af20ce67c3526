using System.Text;
using Piccolo.Core.Volumes;
using Piccolo.Core.Volumes.Mounting;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Volumes;

/// <summary>With a daemon that mounts by itself, and with one that asks the helper.</summary>
[Category("NeedsRoot"), TestFixture(false), TestFixture(true)]
internal sealed class AppVolumesTests(bool byHelper)
{
    private VolumeBox _box = null!;

    [SetUp]
    public async Task SetUp() => _box = await VolumeBox.StartAsync(byHelper);

    [TearDown]
    public async Task TearDown() => await _box.DisposeAsync();

    [Test]
    public async Task Data_SurvivesCloseLockAndUnlock()
    {
        var folder = await _box.OpenAsync("blog");
        await File.WriteAllTextAsync(Path.Combine(folder, "post"), "hello");
        Assert.That(_box.Volumes.Mounted(), Is.EqualTo(new[] { "blog" }));

        await _box.Box.LockAsync();
        await _box.CloseAsync("blog");
        Assert.That(_box.Volumes.Mounted(), Is.Empty);
        Assert.That((await _box.RefusedAsync("blog", new WantedVolume("data", null, null, null))).Kind, Is.EqualTo(VolumeFaultKind.Locked));
        Assert.That(_box.Volumes.List(), Is.Empty);
        await _box.Box.UnlockAsync();

        Assert.That(await File.ReadAllTextAsync(Path.Combine(await _box.OpenAsync("blog"), "post")), Is.EqualTo("hello"));
        Assert.That(_box.Volumes.List().Select(v => (v.App, v.Name, v.IsMounted)), Is.EqualTo(new[] { ("blog", "data", true) }));
    }

    [Test]
    public async Task Disk_HoldsNeitherContentNorNamesNorKeys()
    {
        var canary = Guid.NewGuid().ToString("N");
        var folder = await _box.OpenAsync("blog", "canary-name");
        await File.WriteAllTextAsync(Path.Combine(folder, canary), string.Concat(Enumerable.Repeat(canary, 1000)));
        var server = VolumeBox.ServerOf(folder)!.Value;
        var record = _box.Records.Single();
        var shown = string.Join(' ', VolumeBox.CommandLine(server)) + await File.ReadAllTextAsync($"/proc/{server}/environ");
        await _box.CloseAsync("blog");
        await _box.Box.LockAsync();

        byte[][] secrets =
        [
            Encoding.UTF8.GetBytes(canary), Encoding.UTF8.GetBytes("canary-name"), record.Key!, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(record.Key!)),
            Encoding.ASCII.GetBytes(Convert.ToBase64String(record.Key!)),
        ];
        Assert.That(_box.AllFiles(), Has.Length.GreaterThan(5));
        foreach (var file in _box.AllFiles())
        {
            var bytes = await File.ReadAllBytesAsync(file);
            Assert.That(secrets.Where(s => bytes.AsSpan().IndexOf(s) >= 0).Select(Convert.ToHexString), Is.Empty, file);
            Assert.That(file, Does.Not.Contain(canary).And.Not.Contain("blog").And.Not.Contain("canary-name"));
        }
        Assert.That(shown, Does.Not.Contain(Convert.ToHexStringLower(record.Key!)).And.Not.Contain("blog"));
        Assert.That(_box.Box.Log.Text, Does.Not.Contain(Convert.ToHexStringLower(record.Key!)));
    }

    [Test]
    public async Task Open_TwiceAndByTwoAtOnce_MountsOnce()
    {
        var first = await _box.OpenAsync("blog");
        var server = VolumeBox.ServerOf(first);

        var again = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _box.OpenAsync("blog")));

        Assert.That(again, Is.All.EqualTo(first));
        Assert.That(VolumeBox.ServerOf(first), Is.EqualTo(server));
        Assert.That(_box.Records.Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Open_NewVolume_IsFilledFromTheImageOnce()
    {
        var tar = TarText.Of(TarText.Dir("data", owner: 999), TarText.File("data/seed", "from the image", owner: 999));
        var folder = await _box.OpenAsync("db", TarText.Wanted(tar));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(folder, "seed")), Is.EqualTo("from the image"));
        await File.WriteAllTextAsync(Path.Combine(folder, "seed"), "changed by the app");
        await _box.CloseAsync("db");

        folder = await _box.OpenAsync("db", TarText.Wanted(tar));

        Assert.That(await File.ReadAllTextAsync(Path.Combine(folder, "seed")), Is.EqualTo("changed by the app"));
    }

    [Test]
    public async Task Open_VolumeThatFollowsItsImage_IsEmptiedAndFilledAnew()
    {
        var folder = await _box.OpenAsync("web", TarText.Wanted(TarText.Of(TarText.Dir("a"), TarText.File("a/old")), image: "one"));
        await _box.CloseAsync("web");
        folder = await _box.OpenAsync("web", TarText.Wanted(TarText.Of(TarText.Dir("a"), TarText.File("a/new")), image: "one"));
        Assert.That(Names(folder), Is.EqualTo(new[] { "old" }), "the image is the same");
        await _box.CloseAsync("web");

        folder = await _box.OpenAsync("web", TarText.Wanted(TarText.Of(TarText.Dir("a"), TarText.File("a/new")), image: "two"));

        Assert.That(Names(folder), Is.EqualTo(new[] { "new" }));
    }

    [Test]
    public async Task Open_VolumeOfDataThatShouldNowFollowTheImage_IsRefusedAndKept()
    {
        var folder = await _box.OpenAsync("web");
        await File.WriteAllTextAsync(Path.Combine(folder, "photo"), "x");
        await _box.CloseAsync("web");

        var fault = await _box.RefusedAsync("web", TarText.Wanted(TarText.Of(TarText.Dir("a")), image: "one"));

        Assert.That(fault.Sentence, Does.Contain("'data'").And.Contain("holds the app's data"));
        Assert.That(Names(await _box.OpenAsync("web")), Is.EqualTo(new[] { "photo" }));
    }

    [Test]
    public async Task Open_ContentThatFails_LeavesNothingMountedAndIsFilledTheNextTime()
    {
        var wanted = TarText.Wanted(TarText.Of(TarText.Dir("a"), TarText.File("a/x"))[..^1024]);
        var fault = await _box.RefusedAsync("web", wanted);
        Assert.That(fault.Kind, Is.EqualTo(VolumeFaultKind.Failed));
        Assert.That(fault.Sentence, Does.Contain("cut off"));
        Assert.That(_box.Volumes.Mounted(), Is.Empty);
        await _box.RefusedAsync("web", wanted with { Content = _ => throw new InvalidOperationException("the engine is away") });

        var folder = await _box.OpenAsync("web", wanted with { Content = _ => Task.FromResult<Stream?>(null) });

        Assert.That(Names(folder), Is.Empty);
    }

    [Test]
    public async Task Open_MoreContentThanTheLimit_IsFull()
    {
        var wanted = TarText.Wanted(TarText.Of(TarText.Dir("a"), TarText.File("a/x", new string('x', 5000))), limit: 4000);

        Assert.That((await _box.RefusedAsync("web", wanted)).Kind, Is.EqualTo(VolumeFaultKind.Full));
        Assert.That(_box.Volumes.Mounted(), Is.Empty);
    }

    [Test]
    public async Task Open_VolumeThatHasOutgrownItsLimit_IsFullAndShown()
    {
        var folder = await _box.OpenAsync("web", new WantedVolume("data", 10_000, null, null));
        await File.WriteAllBytesAsync(Path.Combine(folder, "x"), new byte[50_000]);
        await _box.CloseAsync("web");

        var fault = await _box.RefusedAsync("web", new WantedVolume("data", 10_000, null, null));

        Assert.That(fault.Kind, Is.EqualTo(VolumeFaultKind.Full));
        Assert.That(_box.Volumes.List().Single().IsOverLimit, Is.True);
        await _box.OpenAsync("web", new WantedVolume("data", 1_000_000, null, null));
    }

    [Test]
    public async Task MountPoint_NotMounted_TakesNoFile()
    {
        var folder = await _box.OpenAsync("web");
        var volume = _box.PathsOf("web");
        await _box.CloseAsync("web");
        Assert.That(Directory.Exists(folder), Is.False, "it is there only to be mounted on");

        MountPoint.Prepare(folder);

        Assert.That(MountPoint.IsMounted(folder, out _), Is.False);
        Assert.That(() => File.WriteAllText(Path.Combine(folder, "x"), "in clear"), Throws.InstanceOf<UnauthorizedAccessException>());
        MountPoint.Remove(volume.MountPoint);
    }

    [Test]
    public async Task Open_FilesInTheMountPoint_IsRefused()
    {
        await _box.OpenAsync("web");
        var volume = _box.PathsOf("web");
        await _box.CloseAsync("web");
        Directory.CreateDirectory(volume.MountPoint);
        await File.WriteAllTextAsync(Path.Combine(volume.MountPoint, "x"), "somebody wrote in clear");

        var fault = await _box.RefusedAsync("web", new WantedVolume("data", null, null, null));

        Assert.That(fault.Sentence, Does.Contain("files in a mount point"));
        File.Delete(Path.Combine(volume.MountPoint, "x"));
    }

    [Test]
    public async Task Close_FileIsOpen_IsBusyAndDoneLater()
    {
        var folder = await _box.OpenAsync("web");
        await using (var file = File.Create(Path.Combine(folder, "x")))
        {
            Assert.That((await _box.Volumes.CloseAsync("web", CancellationToken.None))!.Kind, Is.EqualTo(VolumeFaultKind.Busy));
            Assert.That((await _box.Volumes.PurgeAsync("web", CancellationToken.None))!.Kind, Is.EqualTo(VolumeFaultKind.Busy));
            Assert.That(_box.Volumes.Mounted(), Is.EqualTo(new[] { "web" }));
        }
        await _box.CloseAsync("web");
    }

    [Test]
    public async Task Purge_DestroysKeyAndFiles_AndAnOldCopyOpensForNobody()
    {
        await File.WriteAllTextAsync(Path.Combine(await _box.OpenAsync("web"), "x"), "x");
        await _box.OpenAsync("other");
        var volume = _box.PathsOf("web");
        await _box.CloseAsync("web");
        using var copy = new TempFolder();
        foreach (var file in Directory.EnumerateFiles(volume.Cipher)) File.Copy(file, copy.File(Path.GetFileName(file)));

        Assert.That(await _box.Volumes.PurgeAsync("web", CancellationToken.None), Is.Null);

        Assert.That(Directory.Exists(volume.Folder), Is.False);
        Assert.That(_box.Records.Select(r => r.App), Is.EqualTo(new[] { "other" }));
        Assert.That(Names(await _box.OpenAsync("web")), Is.Empty, "the same name is another volume now");
        await _box.CloseAsync("web");
        // The copy in the place of the new one: no key that the store has opens it.
        var renewed = _box.PathsOf("web");
        foreach (var file in Directory.EnumerateFiles(renewed.Cipher)) File.Delete(file);
        foreach (var file in Directory.EnumerateFiles(copy.Path)) File.Copy(file, Path.Combine(renewed.Cipher, Path.GetFileName(file)));
        Assert.That((await _box.RefusedAsync("web", new WantedVolume("data", null, null, null))).Kind, Is.EqualTo(VolumeFaultKind.Damaged));
    }

    [Test]
    public async Task Purge_CutOffAfterTheKey_IsFinishedLater()
    {
        await File.WriteAllTextAsync(Path.Combine(await _box.OpenAsync("web"), "x"), "x");
        var volume = _box.PathsOf("web");
        await _box.CloseAsync("web");
        _box.Service<VolumeRows>().DestroyKeys("web");
        Assert.That(_box.Volumes.List(), Is.Empty);

        var folder = await _box.OpenAsync("web");

        Assert.That(Directory.Exists(volume.Folder), Is.False);
        Assert.That(Names(folder), Is.Empty);
    }

    [Test]
    public async Task Open_FilesAreGone_IsDamagedAndNotMadeAnew()
    {
        await _box.OpenAsync("web");
        var volume = _box.PathsOf("web");
        await _box.CloseAsync("web");
        Directory.Delete(volume.Cipher, recursive: true);

        Assert.That((await _box.RefusedAsync("web", new WantedVolume("data", null, null, null))).Kind, Is.EqualTo(VolumeFaultKind.Damaged));
        Assert.That(Directory.Exists(volume.Cipher), Is.False);
    }

    [Test]
    public async Task Parents_KeepOtherUsersOut()
    {
        var folder = await _box.OpenAsync("web");

        foreach (var path in (string[])[Path.GetDirectoryName(folder)!, _box.Box.Paths.Volumes, _box.PathsOf("web").Folder])
            Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute), path);
    }

    private static string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(folder).Select(p => Path.GetFileName(p)).Order()];
}
