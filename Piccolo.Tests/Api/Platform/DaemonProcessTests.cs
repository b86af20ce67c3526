using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Piccolo.Api.Platform;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Api.Platform;

/// <summary>The daemon as a process: what it tells the service manager, how it ends, and that it is alone.</summary>
[Category("NeedsProcess")]
internal sealed class DaemonProcessTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TempFolder _folder = null!;
    private int _port;

    [SetUp]
    public void SetUp()
    {
        _folder = new TempFolder();
        _port = LoopbackPorts.Free(1)[0];
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task ServiceManager_HearsReadyOncePortsAreBound_StatusWatchdogAndStopping()
    {
        using var systemd = new NotifySocket();
        var starting = StartAsync(("NOTIFY_SOCKET", systemd.Path), ("WATCHDOG_USEC", "400000"));

        await systemd.NextAsync("READY=1", Limit);
        using (var probe = new TcpClient()) await probe.ConnectAsync("127.0.0.1", _port);
        await using var daemon = await starting;
        Assert.That((bool)(await daemon.Api.GetAsync("/health/ready"))["ready"]!, Is.True);
        await systemd.NextAsync("WATCHDOG=1", Limit);
        await systemd.NextAsync("WATCHDOG=1", Limit);

        await daemon.Api.SetUpAsync(TestAppliance.Password);
        await systemd.NextAsync("STATUS=locked", Limit);
        await daemon.Api.UnlockAsync(TestAppliance.Password);
        await systemd.NextAsync("STATUS=unlocked", Limit);
        systemd.Drain();
        await daemon.DisposeAsync();

        await systemd.NextAsync("STOPPING=1", Limit);
    }

    [TestCase("8:1", "<", TestName = "Log_InTheJournal_IsWrittenForPeople")]
    [TestCase("", "{", TestName = "Log_OutsideOfTheJournal_IsJson")]
    public async Task Log(string journalStream, string begin)
    {
        string[] lines;
        await using (var daemon = await StartAsync(("ASPNETCORE_ENVIRONMENT", "Production"), ("JOURNAL_STREAM", journalStream)))
        {
            await daemon.Api.GetAsync("/health/live");
            lines = await File.ReadAllLinesAsync(daemon.LogFile);
        }

        Assert.That(lines, Is.Not.Empty);
        Assert.That(lines.Where(l => !l.StartsWith(begin, StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Terminated_WithOpenConnections_EndsInOrderBelowTenSecondsAndTheNextStartsAtOnce()
    {
        var daemon = await StartAsync();
        await daemon.Api.SetUpAsync(TestAppliance.Password);
        await daemon.Api.UnlockAsync(TestAppliance.Password);
        await daemon.Api.TakeTokenAsync("before");
        using var half = new TcpClient();
        await half.ConnectAsync("127.0.0.1", _port);
        await half.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1:{_port}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"user"));

        var clock = Stopwatch.StartNew();
        await daemon.DisposeAsync();
        var took = clock.Elapsed;

        Assert.That(took, Is.LessThan(OrderlyShutdown.Limit));
        var log = await File.ReadAllTextAsync(daemon.LogFile);
        string[] order = ["Application is shutting down", "state=locked", "Stopped in good order"];
        Assert.That(order.Select(words => log.LastIndexOf(words, StringComparison.Ordinal)), Is.Ordered.And.All.Positive, log);
        await using var next = await StartAsync();
        Assert.That((bool)(await next.Api.GetAsync("/api/v1/crypto/status"))["locked"]!, Is.True);
        await next.Api.UnlockAsync(TestAppliance.Password);
        await next.Api.TakeTokenAsync("after");
        var locked = (await next.Api.GetAsync("/api/v1/system/audit"))["entries"]!.AsArray().Single(e => (string?)e!["kind"] == "vault.locked")!;
        Assert.That(((string?)locked["actor"], (string?)locked["detail"]!["reason"]), Is.EqualTo(("appliance", "shutdown")),
            "also what nobody asked for by name is on record");
        TestContext.Out.WriteLine($"terminated in {took.TotalSeconds:0.00} s");
    }

    [Test]
    public async Task SecondDaemon_OnTheSameState_IsRefusedWithAReasonAndItsExitCode()
    {
        await using var first = await StartAsync();
        var log = _folder.File("second.log");
        await using var second = ChildProcess.Start(
            new ChildProcessStart("dotnet", [SolutionBuild.Find("Piccolo.Api"), $"--Piccolo:StateDirectory={State}"], log, "dotnet-sdk-10.0"));

        var line = await second.WaitForLineAsync("Another Piccolo daemon", Limit);
        await second.Exited.WaitAsync(Limit);

        Assert.That(line, Does.Contain(State));
        Assert.That(second.ExitCode, Is.EqualTo(StateDirectoryLock.InUseExitCode));
        Assert.That((bool)(await first.Api.GetAsync("/health/ready"))["ready"]!, Is.True, "the first one is not disturbed");
    }

    [TestCase("Piccolo:Ingress:HttpPort", "70000", Description = "outside its range")]
    [TestCase("Piccolo:Ingress:HttpPort", "x", Description = "not a number")]
    public async Task Start_WithAnInvalidSetting_IsRefusedWithOneLineThatNamesIt(string key, string value)
    {
        var (exitCode, output) = await StartInVainAsync($"--{key}={value}");

        Assert.That(exitCode, Is.EqualTo(StartFault.InvalidSettingExitCode));
        Assert.That(output.TrimEnd(), Does.StartWith("A setting is invalid").And.Contains("HttpPort").And.Not.Contains("\n"));
    }

    [Test]
    public async Task Start_OnAPortThatIsTaken_IsRefusedWithASentence()
    {
        using var other = new TcpListener(System.Net.IPAddress.Loopback, 0);
        other.Start();
        var port = ((System.Net.IPEndPoint)other.LocalEndpoint).Port;

        var (exitCode, output) = await StartInVainAsync("--Piccolo:Ingress:ListenAddress=127.0.0.1", $"--Piccolo:Ingress:HttpPort={port}");

        Assert.That(exitCode, Is.EqualTo(StartFault.PortExitCode));
        Assert.That(output.TrimEnd().Split('\n')[^1], Does.Contain($"127.0.0.1:{port}").And.EndsWith("Stop the other program, or give Piccolo another port."));
    }

    [Test]
    public async Task Killed_LeavesNothingThatHindersTheNext()
    {
        var first = await StartAsync();
        await first.KillAsync();

        await using var next = await StartAsync();

        Assert.That((bool)(await next.Api.GetAsync("/health/ready"))["ready"]!, Is.True);
    }

    [Test]
    public async Task Tls_OfTheDaemon_SpeaksTheIntermediateSuitesOnlyAndResumes()
    {
        var https = LoopbackPorts.Free(1)[0];
        await using var daemon = await StartAsync(("Piccolo__Ingress__HttpsPort", $"{https}"));
        Task<ToolRun> ConnectAsync(params string[] options) =>
            ToolRun.OfAsync("openssl", ["s_client", "-connect", $"127.0.0.1:{https}", "-tls1_2", .. options], "Q\n");
        var session = _folder.File("session");

        Assert.That((await ConnectAsync("-cipher", "ECDHE-ECDSA-AES128-SHA256")).Output, Does.Contain("Cipher is (NONE)"));
        Assert.That((await ConnectAsync("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-sess_out", session)).Output,
            Does.Contain("New, TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256"));
        Assert.That((await ConnectAsync("-sess_in", session)).Output, Does.Contain("Reused, TLSv1.2"));
    }

    private async Task<(int? ExitCode, string Output)> StartInVainAsync(params string[] arguments)
    {
        var log = _folder.File("refused.log");
        string[] all = [SolutionBuild.Find("Piccolo.Api"), $"--Piccolo:StateDirectory={State}", .. arguments];
        await using var daemon = ChildProcess.Start(new ChildProcessStart("dotnet", all, log, "dotnet-sdk-10.0"));
        await daemon.Exited.WaitAsync(Limit);
        return (daemon.ExitCode, await File.ReadAllTextAsync(log));
    }

    private string State => _folder.File("state");

    private Task<ApplianceProcess> StartAsync(params (string Key, string Value)[] settings) => ApplianceProcess.StartAsync(
        State, _folder.File("daemon.log"), _port, settings.ToDictionary(s => s.Key, s => s.Value));
}
