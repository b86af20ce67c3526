using System.Diagnostics;
using Piccolo.Core.Volumes;
using Piccolo.Core.Volumes.Mounting;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Volumes;

/// <summary>The shipped helper, started for each connection as its unit does it.</summary>
[Category("NeedsRoot")]
internal sealed class MountHelperTests
{
    private const string Unknown = "0123456789abcdef0123456789abcdef";
    private VolumeBox _box = null!;
    private MountHelperClient _helper = null!;

    [SetUp]
    public async Task SetUp()
    {
        _box = await VolumeBox.StartAsync(byHelper: true);
        _helper = new MountHelperClient(_box.HelperSocket!, TimeProvider.System);
    }

    [TearDown]
    public async Task TearDown() => await _box.DisposeAsync();

    [TestCase("")]
    [TestCase("mount")]
    [TestCase("mount ../../../etc")]
    [TestCase("mount 0123456789ABCDEF0123456789abcdef")]
    [TestCase("mount 0123456789abcdef0123456789abcdef0")]
    [TestCase("unmount /")]
    [TestCase("detach .")]
    [TestCase("kill 1")]
    [TestCase("kill $(reboot)")]
    [TestCase("wait *")]
    [TestCase("format " + Unknown)]
    [TestCase("mount -o " + Unknown)]
    public async Task Request_ThatIsNone_IsRefusedWithASentence(string request)
    {
        var answer = await _helper.AskAsync(request, CancellationToken.None);

        Assert.That(answer, Is.AnyOf("no request", "no such request", "not the id of a volume"));
    }

    [Test]
    public async Task Mount_VolumeThatIsNotThere_SaysSoAndEnds()
    {
        var answer = await _helper.AskAsync("mount " + Unknown, CancellationToken.None);

        Assert.That(answer, Does.Contain(Unknown).And.Contain("no such file").IgnoreCase);
        Assert.That(await _helper.AskAsync("list", CancellationToken.None), Is.Empty);
    }

    [Test]
    public async Task Check_AnswersWithTheStateFolder() =>
        Assert.That(await _helper.AskAsync("check", CancellationToken.None), Is.EqualTo($"done {_box.Box.Paths.Root}"));

    [Test]
    public async Task Kill_OfAServedVolume_EndsItsServerAlone()
    {
        var (killed, other) = (await _box.OpenAsync("one"), await _box.OpenAsync("two"));
        var server = VolumeBox.ServerOf(killed)!.Value;

        await _helper.AskAsync($"kill {_box.PathsOf("one").Id}", CancellationToken.None);
        await _helper.AskAsync($"wait {_box.PathsOf("one").Id}", CancellationToken.None);

        Assert.That(VolumeBox.CommandLine(server), Is.Empty.Or.All.Empty);
        Assert.That(VolumeBox.ServerOf(other), Is.Not.Null);
        Assert.That(await _helper.AskAsync("list", CancellationToken.None), Is.EqualTo(_box.PathsOf("two").Id));
    }

    [Test]
    public async Task Mount_OfAServedVolume_IsRefused()
    {
        await _box.OpenAsync("one");

        var answer = await _helper.AskAsync($"mount {_box.PathsOf("one").Id}", CancellationToken.None);

        Assert.That(answer, Is.EqualTo("another gocryptfs still serves it"));
    }

    [Test]
    public async Task Daemon_Killed_NextOneUnmountsAndKeepsTheData()
    {
        var folder = await _box.OpenAsync("web");
        await File.WriteAllTextAsync(Path.Combine(folder, "x"), "kept");
        var held = File.Open(Path.Combine(folder, "x"), FileMode.Open, FileAccess.Read);
        var server = VolumeBox.ServerOf(folder)!.Value;

        await _box.StartDaemonAsync();

        Assert.That(MountPoint.IsMounted(folder, out _), Is.False);
        Assert.That(_box.Volumes.Mounted(), Has.Length.EqualTo(1), "its server still serves who holds a file");
        await held.DisposeAsync();
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await _box.OpenAsync("web"), "x")), Is.EqualTo("kept"));
        Assert.That(VolumeBox.ServerOf(folder), Is.Not.EqualTo(server));
    }

    [Test]
    public async Task Helper_Gone_OpeningSaysWhatToStart()
    {
        File.Delete(_box.HelperSocket!);

        var fault = await _box.RefusedAsync("web", new WantedVolume("data", null, null, null));

        Assert.That(fault.Kind, Is.EqualTo(VolumeFaultKind.NotAvailable));
        Assert.That(fault.Sentence, Does.Contain("mount helper").And.Contain("does not answer"));
        Assert.That(fault.NextStep, Does.Contain("piccolo-volumes.socket"));
    }

    [Test]
    public void Script_IsValidShell()
    {
        using var check = Process.Start("sh", ["-n", Repository.File("packaging/volumes/piccolo-volume")]);
        check.WaitForExit();

        Assert.That(check.ExitCode, Is.Zero);
    }
}
