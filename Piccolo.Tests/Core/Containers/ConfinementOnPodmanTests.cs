using System.Collections.Immutable;
using Piccolo.Core.Containers;
using Piccolo.Rig.Podman;

namespace Piccolo.Tests.Core.Containers;

/// <summary>What a spec asks for, seen from inside the container.</summary>
[Category("NeedsPodman")]
internal sealed class ConfinementOnPodmanTests : PodmanFixture
{
    private DirectoryInfo _folder;

    [SetUp]
    public void NewFolder()
    {
        _folder = Directory.CreateTempSubdirectory("piccolo-mounts-");
        // As a volume's folder that belongs to the app's user.
        File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_111_111);
    }

    [TearDown]
    public void RemoveFolder() => _folder.Delete(recursive: true);

    [Test]
    public async Task Inside_UserCommandFolderAndName_AreAsAsked()
    {
        var (id, port) = await ServeAsync(Spec("web", "main") with
        {
            User = "1234:2345",
            Command = ["--first", "second word"],
            WorkingDirectory = "/etc",
            Hostname = "stable-name",
            StopSignal = "SIGINT",
        });

        var status = await FileAsync(port, "/proc/self/status");
        Assert.That(status, Does.Contain("Uid:\t1234\t1234\t1234\t1234").And.Contain("Gid:\t2345\t2345\t2345\t2345").And.Contain("NoNewPrivs:\t1"));
        Assert.That((await FileAsync(port, "/proc/self/cmdline")).Split('\0'), Is.SupersetOf(new[] { "/app/SampleApp.dll", "--first", "second word" }));
        Assert.That(await FileAsync(port, "passwd"), Does.Contain("app:x:1000"), "the working directory is /etc");
        Assert.That(await FileAsync(port, "/proc/sys/kernel/hostname"), Is.EqualTo("stable-name\n"));
        Assert.That((await _podman.RunAsync(["inspect", "--format", "{{.Config.StopSignal}}", id])).Trim(), Is.EqualTo("2"));
    }

    // The bits of capability.h.
    private const ulong Seven = (1 << 0) | (1 << 1) | (1 << 3) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 10);
    private const ulong NetRaw = 1 << 13;

    [TestCase("0", null, Seven, Seven)]
    [TestCase("0", "", 0ul, 0ul)]
    [TestCase("0", "NET_RAW", Seven | NetRaw, Seven | NetRaw)]
    [TestCase("1000", null, 0ul, 0ul)]
    [TestCase("1000", "NET_RAW", NetRaw, NetRaw)]
    [TestCase(null, null, 0ul, Seven, Description = "the image's own user is an ordinary one, which the manifest does not say")]
    [TestCase(null, "NET_RAW", NetRaw, Seven | NetRaw)]
    public async Task Inside_Capabilities_AreAsAsked(string? user, string? asked, ulong effective, ulong bounding)
    {
        var (_, port) = await ServeAsync(Spec("web", "main") with
        {
            User = user,
            Capabilities = asked is null ? null : [.. asked.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
        });

        var status = await FileAsync(port, "/proc/self/status");

        Assert.That((Bits(status, "CapEff"), Bits(status, "CapBnd")), Is.EqualTo((effective, bounding)), status);
        Assert.That(Bits(status, "CapPrm") & ~bounding, Is.Zero);
        Assert.That(status, Does.Contain("NoNewPrivs:\t1"));
    }

    [Test]
    public async Task Inside_NewPrivilegesAndSysctls_AreAsAsked()
    {
        var (_, port) = await ServeAsync(Spec("web", "main") with
        {
            User = "1000",
            HasNewPrivileges = true,
            Sysctls = ImmutableSortedDictionary<string, string>.Empty.Add("net.ipv4.ip_forward", "1").Add("net.core.somaxconn", "77"),
        });

        var status = await FileAsync(port, "/proc/self/status");

        Assert.That(status, Does.Contain("NoNewPrivs:\t0"));
        Assert.That((Bits(status, "CapEff"), Bits(status, "CapBnd")), Is.EqualTo((0ul, Seven)), "what sudo may give, and no more");
        Assert.That(await FileAsync(port, "/proc/sys/net/ipv4/ip_forward"), Is.EqualTo("1\n"));
        Assert.That(await FileAsync(port, "/proc/sys/net/core/somaxconn"), Is.EqualTo("77\n"));
        Assert.That((await FileAsync(port, "/proc/sys/net/ipv4/ping_group_range")).Trim(), Does.Match(@"^0\s+65535$"));
    }

    [Test]
    public async Task Inside_EntrypointAndInit_AreAsAsked()
    {
        var (_, port) = await ServeAsync(Spec("web", "main") with { Entrypoint = [.. SampleImage.Program, "--own"], HasInit = true });

        Assert.That((await FileAsync(port, "/proc/self/cmdline")).Split('\0'), Does.Contain("--own"));
        Assert.That(await FileAsync(port, "/proc/1/cmdline"), Does.Contain("init"), "the first process is another one");
        Assert.That(await FileAsync(port, "/proc/sys/kernel/hostname"), Is.EqualTo("main\n"));
    }

    [Test]
    public async Task Inside_Mounts_AreWrittenOrNot()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "rw"), (UnixFileMode)0b111_111_111);
        File.SetUnixFileMode(Path.Combine(_folder.FullName, "rw"), (UnixFileMode)0b111_111_111);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "there"), "before");
        var (_, port) = await ServeAsync(Spec("web", "main") with
        {
            Mounts = [new BindMount("/data", Path.Combine(_folder.FullName, "rw"), false), new BindMount("/conf", _folder.FullName, true)],
        });

        Assert.That(await FileAsync(port, "/conf/there"), Is.EqualTo("before"));
        Assert.That(await WriteAsync(port, "/data/new"), Is.EqualTo("ok"));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "rw", "new")), Is.EqualTo("written\n"));
        Assert.That(await WriteAsync(port, "/conf/new"), Does.Contain("Read-only file system"));
        Assert.That(await OptionsAsync(port, "/data"), Is.SupersetOf(new[] { "rw", "nosuid", "nodev" }));
        Assert.That(await OptionsAsync(port, "/conf"), Is.SupersetOf(new[] { "ro", "nosuid", "nodev" }));
    }

    [Test]
    public async Task Inside_ReadOnlyRootTemporaryFoldersAndSharedMemory_AreAsAsked()
    {
        var (_, port) = await ServeAsync(Spec("web", "main") with
        {
            IsRootReadOnly = true,
            SharedMemoryBytes = 8 << 20,
            TemporaryFolders = ImmutableSortedDictionary<string, long>.Empty.Add("/cache", 3 << 20),
        });

        Assert.That(await WriteAsync(port, "/etc/new"), Does.Contain("Read-only file system").Or.Contain("denied"));
        Assert.That(await OptionsAsync(port, "/"), Does.Contain("ro"));
        foreach (var path in new[] { "/cache/new", "/tmp/new", "/run/new", "/dev/shm/new" }) Assert.That(await WriteAsync(port, path), Is.EqualTo("ok"), path);
        Assert.That(await OptionsAsync(port, "/cache"), Is.SupersetOf(new[] { "rw", "nosuid", "nodev", "noexec", "size=3072k" }));
        Assert.That(await OptionsAsync(port, "/run"), Is.SupersetOf(new[] { "rw", "nosuid", "nodev", "size=65536k" }).And.No.Member("noexec"));
        Assert.That(await OptionsAsync(port, "/tmp"), Is.SupersetOf(new[] { "rw", "nosuid", "nodev", "size=262144k" }).And.No.Member("noexec"));
        Assert.That(await OptionsAsync(port, "/dev/shm"), Does.Contain("size=8192k"));
    }

    [Test]
    public async Task Volumes_ThatTheImageDeclares_GiveWayToMounts()
    {
        const string name = "localhost/piccolo-declares:latest";
        await SampleImage.ImportAsync(_podman, name, ["VOLUME /data", "VOLUME /lib/db/rows", "VOLUME /own"]);
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "db", "rows"));
        File.SetUnixFileMode(Path.Combine(_folder.FullName, "db", "rows"), (UnixFileMode)0b111_111_111);
        var (id, port) = await ServeAsync(Spec("web", "main") with
        {
            Image = ImageReference.Parse(name),
            Mounts = [new BindMount("/data", _folder.FullName, false), new BindMount("/lib/db", Path.Combine(_folder.FullName, "db"), false)],
        });

        Assert.That((await _runtime.VolumesOfAsync(id, default)).Value, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["/own"] = ContainerSpec.VolumeNameOf(_instance, "web", "main", "/own"),
        }));
        Assert.That(await WriteAsync(port, "/data/new"), Is.EqualTo("ok"));
        Assert.That(await WriteAsync(port, "/lib/db/rows/new"), Is.EqualTo("ok"));
        Assert.That(File.Exists(Path.Combine(_folder.FullName, "new")) && File.Exists(Path.Combine(_folder.FullName, "db", "rows", "new")), Is.True);
        Assert.That((await _podman.RunAsync(["volume", "ls", "--quiet"])).Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1));
    }

    /// <summary>An app that got a mount of its own where it had a volume of the engine's.</summary>
    [Test]
    public async Task Volumes_OfTheServiceItself_GiveWayToAMount()
    {
        const string name = "localhost/piccolo-declares:latest";
        await SampleImage.ImportAsync(_podman, name, ["VOLUME /data"]);
        var spec = Spec("web", "main") with { Image = ImageReference.Parse(name) };
        var first = (await _runtime.CreateAsync(spec, NoVolumes, default)).Value!;
        var kept = (await _runtime.VolumesOfAsync(first, default)).Value!;
        Assert.That(kept.Keys, Is.EqualTo(new[] { "/data" }));
        await _runtime.RemoveAsync(first, default);

        var second = await _runtime.CreateAsync(spec with { Mounts = [new BindMount("/data", _folder.FullName, false)] }, kept, default);

        Assert.That((await _runtime.VolumesOfAsync(second.Value!, default)).Value, Is.Empty);
    }

    [TestCase("/da:ta", "")]
    [TestCase("/data", "co:lon")]
    public async Task Create_PathWithAColon_IsRefusedWithoutTheEngine(string path, string below)
    {
        var made = await _runtime.CreateAsync(
            Spec("web", "main") with { Mounts = [new BindMount(path, Path.Combine(_folder.FullName, below), false)] }, NoVolumes, default);

        Assert.That(made.Fault!.Sentence, Does.Contain("colon"));
        Assert.That((await _runtime.ListAsync(default)).Value, Is.Empty);
    }

    /// <summary>The options of what is mounted there, those of the mount and those of the file system.</summary>
    private async Task<string[]> OptionsAsync(int port, string path)
    {
        var mount = (await FileAsync(port, "/proc/self/mountinfo")).Split('\n').Select(l => l.Split(' ')).Last(f => f.Length > 5 && f[4] == path);
        return [.. mount[5].Split(','), .. mount[^1].Split(',')];
    }

    private static ulong Bits(string status, string line) => ulong.Parse(
        status.Split('\n').Single(l => l.StartsWith(line + ":", StringComparison.Ordinal)).Split('\t')[1], System.Globalization.NumberStyles.HexNumber, null);
}
