using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Piccolo.Api.Platform;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Platform;

/// <summary>What a lock leaves of a daemon that is a process: nothing but its name. The new image is a box after a reboot.</summary>
/// <remarks>Alone: how soon it answers again is a promise.</remarks>
[Category("NeedsProcess")]
[Category("Timing")]
[NonParallelizable]
internal sealed class FreshStartTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(2);

    private TempFolder _folder = null!;
    private int _port;
    private string _token = "";

    [SetUp]
    public void SetUp()
    {
        _folder = new TempFolder();
        _port = LoopbackPorts.Free(1)[0];
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Lock_ReplacesTheImageOfTheSameProcess()
    {
        await using var daemon = await OwnedAsync(("SECRET_OF_THE_UNIT", "with 'quotes', a\nline and ünicode"), ("EMPTY_ONE", ""));
        var before = Of(daemon);
        var held = SocketsOf(daemon).Append("control.db").ToHashSet();

        var (answer, silence) = await daemon.LockAsync();

        TestContext.Out.WriteLine($"answered again {silence.TotalMilliseconds:0} ms after the lock's answer");
        Assert.That(answer.ToJsonString(), Is.EqualTo("""{"message":"ok"}"""));
        Assert.That(Of(daemon), Is.EqualTo(before), "program, arguments, environment, folder and parent");
        Assert.That(File.ReadAllText($"/proc/{daemon.Id}/environ"), Does.Contain("SECRET_OF_THE_UNIT=with 'quotes', a\nline and ünicode\0"));
        Assert.That(SocketsOf(daemon).Intersect(held), Is.Empty, "no socket is handed on");
        Assert.That(FilesOf(daemon).Where(f => Path.GetFileName(f).StartsWith("control.db", StringComparison.Ordinal)), Is.Empty, "nor is the store");
        Assert.That(SignalsOf(daemon, "SigBlk"), Is.Zero, "a blocked signal would never arrive");
        Assert.That(await StateAsync(daemon), Is.EqualTo((true, true)), "it has an owner, and it is locked");
        using (var refused = await daemon.Api.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, "/api/v1/apps")))
            Assert.That((int)refused.StatusCode, Is.EqualTo(423));
        await daemon.Api.UnlockAsync(TestAppliance.Password);
        Assert.That((await daemon.Api.GetAsync("/api/v1/system/audit"))["entries"]!.AsArray().Count(e => (string?)e!["kind"] == "vault.locked"), Is.EqualTo(1),
            "one lock, the owner's");
    }

    /// <summary>The shortest of a few: what else the machine does only adds to it.</summary>
    [Test]
    public async Task Lock_AnswersAgainWithinTwoSeconds()
    {
        await using var daemon = await OwnedAsync();
        var silences = new List<TimeSpan>();
        while (silences.Count < 5 && (silences.Count == 0 || silences.Min() >= SilenceLimit))
        {
            silences.Add((await daemon.LockAsync()).Silence);
            await daemon.Api.UnlockAsync(TestAppliance.Password);
        }

        TestContext.Out.WriteLine(string.Join(", ", silences.Select(s => $"{s.TotalMilliseconds:0} ms")));
        Assert.That(silences.Min(), Is.LessThan(SilenceLimit));
    }

    [Test]
    public async Task Terminated_AfterALock_EndsInOrder()
    {
        await using var daemon = await OwnedAsync();
        await daemon.LockAsync();

        await daemon.DisposeAsync();

        Assert.That(await File.ReadAllTextAsync(daemon.LogFile), Does.Contain("starts afresh").And.Contain("Stopped in good order"));
    }

    [Test]
    public async Task Lock_WhileTheStateIsWanted_LetsNobodyTakeIt()
    {
        await using var daemon = await OwnedAsync();
        var paths = new StatePaths(State);
        using var enough = new CancellationTokenSource();
        var tries = 0;
        var taken = Task.Run(() =>
        {
            while (!enough.IsCancellationRequested)
            {
                enough.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(1));
                using var mine = StateDirectoryLock.TryTake(paths);
                if (mine is not null) return true;
                tries++;
            }
            return false;
        });

        for (var i = 0; i < 3; i++)
        {
            await daemon.LockAsync();
            await daemon.Api.UnlockAsync(TestAppliance.Password);
        }
        await enough.CancelAsync();

        Assert.That(await taken, Is.False);
        Assert.That(tries, Is.GreaterThan(100), "it was tried all the time");
        Assert.That(FilesOf(daemon).Count(f => f == paths.InUse), Is.EqualTo(1));
    }

    [Test]
    public async Task Lock_TwentyTimes_LeavesNoDescriptorAndNoChild()
    {
        await using var daemon = await OwnedAsync();
        await daemon.LockAsync();
        var before = FilesOf(daemon);

        for (var i = 0; i < 20; i++)
        {
            await daemon.Api.UnlockAsync(TestAppliance.Password);
            await daemon.LockAsync();
        }

        var after = FilesOf(daemon);
        Assert.That(after, Has.Count.InRange(before.Count - 10, before.Count + 10),
            $"before:\n{string.Join('\n', before)}\nafter:\n{string.Join('\n', after)}");
        Assert.That(Directory.GetDirectories($"/proc/{daemon.Id}/task")
            .SelectMany(t => File.ReadAllText(t + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)), Is.Empty);
    }

    [Test]
    public async Task ServiceManager_HearsOfAReloadAndTheWatchdogGoesOn()
    {
        using var systemd = new NotifySocket();
        await using var daemon = await OwnedAsync(("NOTIFY_SOCKET", systemd.Path), ("WATCHDOG_USEC", "400000"));
        await systemd.NextAsync("READY=1", Limit);
        await systemd.NextAsync("STATUS=unlocked", Limit);
        var before = MonotonicMicroseconds();

        await daemon.LockAsync();

        var reloading = await systemd.NextAsync("RELOADING=1", Limit);
        Assert.That(long.Parse(reloading.Split("MONOTONIC_USEC=")[1]), Is.InRange(before, MonotonicMicroseconds()));
        await systemd.NextAsync("READY=1", Limit);
        await systemd.NextAsync("WATCHDOG=1", Limit);
        await systemd.NextAsync("WATCHDOG=1", Limit);
        await daemon.DisposeAsync();
        await systemd.NextAsync("STOPPING=1", Limit);
    }

    [Test]
    public async Task Lock_WithClientsThatHoldOn_CutsThemOff()
    {
        await KeepALargeVolumeAsync();
        await using var daemon = await OwnedAsync();
        using var script = await DownloadOfAVolumeAsync(daemon);
        using var half = new TcpClient();
        await half.ConnectAsync("127.0.0.1", _port);
        await half.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1:{_port}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"user"));
        using var idle = new TcpClient();
        await idle.ConnectAsync("127.0.0.1", _port);

        var (_, silence) = await daemon.LockAsync();

        Assert.That(silence, Is.LessThan(3 * SilenceLimit), "nobody is waited for");
        Assert.That(async () => await ReadToEndAsync(await script.Content.ReadAsStreamAsync()), Throws.InstanceOf<IOException>(),
            "the download is cut, not shortened");
        foreach (var client in (TcpClient[])[half, idle]) Assert.That(await IsOverAsync(client), Is.True);
    }

    [Test]
    public async Task Lock_ClientThatDoesNotWait_IsCompletedAllTheSame()
    {
        await using var daemon = await OwnedAsync();
        var image = daemon.Image;
        using (var client = new TcpClient())
        {
            await client.ConnectAsync("127.0.0.1", _port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /api/v1/crypto/lock HTTP/1.1\r\nHost: 127.0.0.1:{_port}\r\nAuthorization: Bearer {_token}\r\nContent-Length: 0\r\n\r\n"));
            // In good order: of a connection that is reset at once the server may lose what it has not read, and with it the lock.
        }

        await daemon.RestartedAsync(image, TimeProvider.System.GetTimestamp());

        Assert.That(await StateAsync(daemon), Is.EqualTo((true, true)));
    }

    /// <summary>At once after the response; just before the old image is replaced; when the new one serves.</summary>
    [TestCase(null)]
    [TestCase("RELOADING=1")]
    [TestCase("READY=1")]
    public async Task Terminated_AroundALock_Ends(string? sign)
    {
        using var systemd = new NotifySocket();
        var daemon = await OwnedAsync(("NOTIFY_SOCKET", systemd.Path));
        await systemd.NextAsync("READY=1", Limit);
        await daemon.Api.PostAsync("/api/v1/crypto/lock");
        if (sign is not null) await systemd.NextAsync(sign, Limit);

        var clock = Stopwatch.StartNew();
        await daemon.DisposeAsync();

        // Killed by force after 12 s.
        Assert.That(clock.Elapsed, Is.LessThan(OrderlyShutdown.Limit));
    }

    private string State => _folder.File("state");

    private async Task<ApplianceProcess> OwnedAsync(params (string Key, string Value)[] settings)
    {
        // Without an engine there is nothing that a lock has to wait for.
        var daemon = await ApplianceProcess.StartAsync(State, _folder.File("daemon.log"), _port,
            settings.Append((Key: "Piccolo:Containers:Socket", Value: "")).ToDictionary(s => s.Key, s => s.Value));
        if (!(bool)(await daemon.Api.GetAsync("/api/v1/crypto/status"))["initialized"]!) await daemon.Api.SetUpAsync(TestAppliance.Password);
        await daemon.Api.UnlockAsync(TestAppliance.Password);
        _token = await daemon.Api.TakeTokenAsync("test");
        return daemon;
    }

    /// <summary>Of an app that was removed. Larger than what sockets hold.</summary>
    private async Task KeepALargeVolumeAsync()
    {
        using var box = new TestBox(State);
        await box.Vault.SetUpAsync(TestAppliance.Password, CancellationToken.None);
        await box.UnlockAsync(TestAppliance.Password);
        var volume = VolumeRecord.New("gone", new WantedVolume("data", null, null, null), DateTimeOffset.UnixEpoch) with { IsFilled = true };
        box.Store.Commit(t => t.Put(VolumeRecord.Collection, volume.StoreKey, volume));
        var cipher = Directory.CreateDirectory(Path.Combine(box.Paths.Volumes, volume.Id, "cipher"));
        await File.WriteAllBytesAsync(Path.Combine(cipher.FullName, "large"), RandomNumberGenerator.GetBytes(64 * 1024 * 1024));
        await box.LockAsync();
    }

    /// <summary>What a service manager, a container and ps know of a process.</summary>
    private static (int, string, string, string, string, string) Of(ApplianceProcess daemon)
    {
        var process = $"/proc/{daemon.Id}";
        string Line(string name) => File.ReadLines(process + "/status").Single(l => l.StartsWith(name + ":", StringComparison.Ordinal));
        return (daemon.Id, new FileInfo(process + "/exe").LinkTarget!, File.ReadAllText(process + "/cmdline"), File.ReadAllText(process + "/environ"),
            new FileInfo(process + "/cwd").LinkTarget!, Line("PPid"));
    }

    private static List<string> FilesOf(ApplianceProcess daemon) =>
        [.. Directory.GetFileSystemEntries($"/proc/{daemon.Id}/fd").Select(f => new FileInfo(f).LinkTarget).OfType<string>()];

    private static List<string> SocketsOf(ApplianceProcess daemon) => [.. FilesOf(daemon).Where(f => f.StartsWith("socket:", StringComparison.Ordinal))];

    private static ulong SignalsOf(ApplianceProcess daemon, string set) =>
        Convert.ToUInt64(File.ReadLines($"/proc/{daemon.Id}/status").Single(l => l.StartsWith(set + ":", StringComparison.Ordinal)).Split('\t')[1], 16);

    private static async Task<(bool Initialized, bool Locked)> StateAsync(ApplianceProcess daemon)
    {
        var status = await daemon.Api.GetAsync("/api/v1/crypto/status");
        return ((bool)status["initialized"]!, (bool)status["locked"]!);
    }

    /// <summary>An export too large for the buffers between us, of which the first bytes are read.</summary>
    private async Task<HttpResponseMessage> DownloadOfAVolumeAsync(ApplianceProcess daemon)
    {
        var job = (string)(await daemon.Api.PostAsync("/api/v1/exports/full"))["id"]!;
        // A job's events end with the job.
        using (var events = await daemon.Api.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, $"/api/v1/jobs/{job}/events")))
            events.EnsureSuccessStatusCode();
        var now = await daemon.Api.GetAsync($"/api/v1/jobs/{job}");
        var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = daemon.Api.BaseAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        var response = await client.GetAsync(new Uri($"/api/v1/exports/{now["result"]}/download", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return response;
    }

    private static async Task ReadToEndAsync(Stream stream) => await stream.CopyToAsync(Stream.Null).WaitAsync(Limit);

    private static async Task<bool> IsOverAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Limit) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static long MonotonicMicroseconds() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);
}
