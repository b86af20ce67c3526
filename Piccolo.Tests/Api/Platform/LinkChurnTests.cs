using System.Text;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Platform;

/// <summary>
/// The daemon while network links come and go, as they do whenever a container starts or stops. It runs in a network namespace of its own in which links are
/// made and removed without a pause: there one of 25 reads of the interfaces by the runtime throws.
/// </summary>
[Category("NeedsRoot")]
internal sealed class LinkChurnTests
{
    private const int Links = 40;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TempFolder _folder = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _folder = new TempFolder();
        var commands = new StringBuilder();
        for (var i = 1; i <= Links; i++)
            commands.Append($"link add va{i} type veth peer name vb{i}\naddr add 10.9.{i}.1/24 dev va{i}\naddr add fd00:{i}::1/64 dev va{i}\nlink set "
            + $"va{i} up\nlink set vb{i} up\n");
        for (var i = 1; i <= Links; i++) commands.Append($"link del va{i}\n");
        await File.WriteAllTextAsync(_folder.File("links"), commands.ToString());
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Running_WhileLinksComeAndGo_LivesOn()
    {
        using var systemd = new NotifySocket();
        await using var daemon = Start(systemd);
        await systemd.NextAsync("READY=1", Limit);

        // Each is a second in which the daemon checked itself, amid some dozens of vanished links.
        for (var i = 0; i < 6; i++) await systemd.NextAsync("WATCHDOG=1", Limit);

        Assert.That(daemon.Exited.IsCompleted, Is.False, "the daemon ended");
        Assert.That(await daemon.StopAsync(Limit), Is.True);
        Assert.That(daemon.ExitCode, Is.Zero);
    }

    [Test, Category("Slow")]
    public async Task Start_TwoHundredTimesWhileLinksComeAndGo_AlwaysSucceeds()
    {
        for (var start = 1; start <= 200; start++)
        {
            using var systemd = new NotifySocket();
            await using var daemon = Start(systemd);
            var ready = systemd.NextAsync("READY=1", Limit);
            await Task.WhenAny(ready, daemon.Exited);
            Assert.That(daemon.Exited.IsCompleted, Is.False, () => $"start {start} ended: {File.ReadAllText(daemon.LogFile)}");
            await ready;
        }
    }

    private ChildProcess Start(NotifySocket systemd)
    {
        const string script = "ip link set lo up; while kill -0 $$ 2>/dev/null; do ip -force -batch \"$1\"; done >/dev/null 2>&1 & exec dotnet \"$2\"";
        return ChildProcess.Start(new ChildProcessStart(
            "unshare", ["--net", "sh", "-c", script, "sh", _folder.File("links"), SolutionBuild.Find("Piccolo.Api")], _folder.File("daemon.log"), "util-linux")
        {
            Environment = new Dictionary<string, string>
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["NOTIFY_SOCKET"] = systemd.Path,
                ["WATCHDOG_USEC"] = "2000000",
                ["Piccolo__StateDirectory"] = _folder.File("state"),
                ["Piccolo__Containers__Socket"] = "",
                ["Piccolo__Ingress__HttpsPort"] = "0",
            },
        });
    }
}
