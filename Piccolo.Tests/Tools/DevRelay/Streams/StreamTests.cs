using System.Net.Sockets;
using System.Text;
using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Streams;

[Category("DevRelay"), Category("Nexus")]
internal sealed class StreamTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Nx049_Connect_PrecedesDataAndTellsEverything()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        using var user = await relay.KnockAsync(TestHellos.AppExampleTest);

        var connect = await backend.NextControlAsync("connect");
        var prelude = await backend.NextDataAsync(connect.Id);

        Assert.That(connect.Text[1..], Is.EqualTo(
            $$"""{"event":"connect","client_id":"{{connect.Id}}","conn_port":443,"client_ip":"{{user.LocalEndPoint}}","transport":"tcp","hostname":"{{Host}}","is_tls":true,"credits":64}"""));
        Assert.That(prelude.Data, Is.EqualTo(TestHellos.AppExampleTest));
    }

    [Test]
    public async Task Nx050_Disconnect_FollowsAllDataAndHasNoReason()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var body = new byte[400_000];
        Random.Shared.NextBytes(body);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        var sending = SendAndCloseAsync(user, body);

        using var received = new MemoryStream();
        RelayFrame frame;
        while ((frame = await backend.NextAsync()).IsData)
        {
            Assert.That(frame.Data.Length, Is.LessThanOrEqualTo(32_768));
            received.Write(frame.Data);
        }

        await sending;
        Assert.That(frame.Text[1..], Is.EqualTo($$"""{"event":"disconnect","client_id":"{{id}}"}"""));
        Assert.That(received.ToArray(), Is.EqualTo(body));
    }

    [Test]
    public async Task Nx051_ControlMessages_ArriveUnderSustainedData()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        await backend.GrantAsync(id, 64);
        using var enough = new CancellationTokenSource();
        var sending = SendUntilAsync(user, enough.Token);

        for (var i = 0; i < 5; i++) await backend.SendControlAsync("ping_client", id);
        int pongs = 0, messages = 0;
        long bytes = 0;
        RelayFrame frame;
        while (!((frame = await backend.NextAsync()).IsControl && frame.Event == "disconnect"))
        {
            Assert.That(frame.Opcode, Is.EqualTo(2), frame.CloseReason);
            if (frame.IsControl) pongs++;
            else bytes += frame.Data.Length;
            if (frame.IsData && ++messages % 8 == 0) await backend.GrantAsync(id, 8);
            if (pongs == 5 && messages > 500) await enough.CancelAsync();
        }

        Assert.That((pongs, bytes), Is.EqualTo((5, await sending)));
    }

    [Test]
    public async Task Nx057_UnknownIds_GetNoAnswer()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var unknown = Guid.NewGuid();

        await backend.SendDataAsync(unknown, [1, 2, 3]);
        foreach (var name in new[] { "disconnect", "ping_client", "pause_stream", "resume_stream" }) await backend.SendControlAsync(name, unknown);
        await backend.GrantAsync(unknown, 64);

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx060_EchoedDisconnect_IsTolerated()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        user.Dispose();
        await backend.NextControlAsync("disconnect");

        await backend.SendControlAsync("disconnect", id, j => j["reason"] = "normal");

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx061_AfterABackendDisconnect_NothingIsSentForThatId()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await OpenTlsAsync(relay, backend);
        using var open = user;

        await backend.SendControlAsync("disconnect", id, j => j["reason"] = "normal");
        await user.ReadToEndAsync();
        await user.SendAsync("late"u8.ToArray());

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx062_TlsUserAfterABackendDisconnect_GetsBufferedDataThenFinThenClose()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { HalfCloseGrace = TimeSpan.FromMilliseconds(400), Flush = TimeSpan.FromSeconds(5) });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await OpenTlsAsync(relay, backend);
        using var open = user;
        for (var i = 0; i < 20; i++) await backend.SendDataAsync(id, [(byte)i]);

        await backend.SendControlAsync("disconnect", id);
        var received = await user.ReadToEndAsync();
        var fin = TimeProvider.System.GetTimestamp();

        Assert.That(received, Is.EqualTo(Enumerable.Range(0, 20).Select(i => (byte)i)));
        await SendUntilRefusedAsync(user);
        Assert.That(TimeProvider.System.GetElapsedTime(fin), Is.GreaterThan(TimeSpan.FromMilliseconds(200)), "the user may send on for the grace");
    }

    [Test]
    public async Task Nx063_SessionTeardown_SkipsTheGraceOfClosesInProgress()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { HalfCloseGrace = TimeSpan.FromHours(1) });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await OpenTlsAsync(relay, backend);
        using var open = user;
        await backend.SendControlAsync("disconnect", id);
        Assert.That(await user.ReadToEndAsync(), Is.Empty);

        relay.DropSessions();

        await SendUntilRefusedAsync(user);
    }

    [Test]
    public async Task Nx064_PlainUserAfterABackendDisconnect_IsClosedAtOnce()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { HalfCloseGrace = TimeSpan.FromHours(1), Flush = TimeSpan.FromSeconds(5) });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await backend.SendDataAsync(id, "bye"u8.ToArray());

        await backend.SendControlAsync("disconnect", id);

        Assert.That(await user.ReadToEndAsync(), Is.EqualTo("bye"u8.ToArray()));
        await SendUntilRefusedAsync(user);
    }

    [Test]
    public async Task Nx065_ClosingAStream_FlushesWhatIsBuffered()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { Flush = TimeSpan.FromSeconds(5) });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        var chunk = new byte[32_768];
        for (var i = 0; i < 100; i++) await backend.SendDataAsync(id, chunk);

        await backend.SendControlAsync("disconnect", id);

        Assert.That(await user.ReadToEndAsync(), Has.Length.EqualTo(100 * chunk.Length));
    }

    [Test]
    public async Task Nx065_SlowUser_LosesTheTailAfterTheFlushWindow()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        var sent = await FillAsync(relay, backend, id, 100);

        await backend.SendControlAsync("disconnect", id);
        await backend.UntilAnsweredAsync();
        Assert.That(relay.Sessions().Single().Streams, Is.Empty);
        // The stream's own loop is gone only after the flush window; another stream's life proves that it passed.
        await PassAsync(TimeSpan.FromMilliseconds(500));

        Assert.That((await user.ReadToEndAsync()).Length, Is.LessThan(sent));
    }

    [Test]
    public async Task Nx067_UserFin_IsAFullDisconnect()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;

        user.Shutdown(SocketShutdown.Send);
        await backend.NextControlAsync("disconnect");
        await backend.SendDataAsync(id, "too late"u8.ToArray());

        Assert.That(await user.ReadToEndAsync(), Is.Empty);
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx068_ConnectThatCannotBeQueued_ClosesTheUserSilently()
    {
        // The relay may write nothing, so the data lane fills with connects: one is with the writer, 256 wait.
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        relay.Faults.Mute = true;
        var users = new List<Socket>();
        for (var i = 0; i < 180; i++) users.Add(await relay.KnockAsync(RelayFixture.Get(Host)));

        var closed = await Task.WhenAny(users.Select(u => u.ReadToEndAsync())).WaitAsync(ScriptedBackend.Patience);
        Assert.That(await closed, Is.Empty);

        relay.Faults.Mute = false;
        var frames = await DrainAsync(backend, 257);
        var connected = frames.Where(f => f.IsControl && f.Event == "connect").Select(f => f.Id).ToHashSet();
        Assert.That(frames.Where(f => f.IsControl && f.Event == "disconnect").All(f => connected.Contains(f.Id)), Is.True);
        Assert.That(connected, Has.Count.LessThan(180));
        users.ForEach(u => u.Dispose());
    }

    [Test]
    public async Task Nx069_BlockedUser_DelaysNeitherAnotherUserNorControl()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (stalled, stalledId) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var first = stalled;
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var second = user;
        await FillAsync(relay, backend, stalledId, 64);

        await backend.SendDataAsync(id, "quick"u8.ToArray());
        await backend.SendControlAsync("ping_client", stalledId);

        Assert.That(await user.ReadExactlyAsync(5), Is.EqualTo("quick"u8.ToArray()));
        Assert.That((await backend.UntilAnsweredAsync()).Count(f => f.IsControl && f.Event == "pong_client"), Is.EqualTo(1));
    }

    [Test]
    public async Task Nx146_OnSessionLoss_TlsUsersGetFinAtOnceAndPlainOnesAreClosed()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { HalfCloseGrace = TimeSpan.FromMilliseconds(400) });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (tls, _) = await OpenTlsAsync(relay, backend);
        var (plain, plainId) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var one = tls;
        using var two = plain;
        await backend.SendDataAsync(plainId, "last words"u8.ToArray());
        await backend.UntilAnsweredAsync();

        await backend.DisposeAsync();

        Assert.That(await tls.ReadToEndAsync(), Is.Empty);
        Assert.That(await plain.ReadToEndAsync(), Is.EqualTo("last words"u8.ToArray()));
        await SendUntilRefusedAsync(tls);
    }

    [Test]
    public async Task Nx027_Nx137_Nx138_Outbound_IsAlwaysAnsweredWithAFailure()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var id = Guid.NewGuid();

        await backend.SendControlAsync("outbound_connect", id);

        var result = await backend.NextControlAsync("outbound_result");
        Assert.That(result.Text[1..], Is.EqualTo($$"""{"event":"outbound_result","client_id":"{{id}}","reason":"outbound connections disabled on this proxy"}"""));
    }

    /// <summary>Sends messages of 32 KiB to a user who does not read, until this many wait in the relay.</summary>
    internal static async Task<int> FillAsync(Relay relay, ScriptedBackend backend, Guid id, int waiting)
    {
        var sent = 0;
        while (relay.Sessions().Single().Streams.Single(s => s.Id == id).Buffered < waiting)
        {
            Assert.That(sent, Is.LessThan(2_000), "the kernel takes everything");
            await backend.SendDataAsync(id, new byte[32_768]);
            sent++;
            await backend.UntilAnsweredAsync();
        }

        return sent * 32_768;
    }

    internal static async Task PassAsync(TimeSpan time)
    {
        using var clock = new CancellationTokenSource(time);
        var passed = new TaskCompletionSource();
        await using var registration = clock.Token.Register(passed.SetResult);
        await passed.Task;
    }

    internal static async Task<(Socket User, Guid Id)> OpenTlsAsync(Relay relay, ScriptedBackend backend) =>
        await relay.OpenStreamAsync(backend, TestHellos.AppExampleTest);

    private static async Task<long> SendUntilAsync(Socket user, CancellationToken enough)
    {
        var sent = 0L;
        while (!enough.IsCancellationRequested) sent += await user.SendAsync(new byte[16_384]);
        user.Shutdown(SocketShutdown.Send);
        await user.ReadToEndAsync();
        user.Dispose();
        return sent;
    }

    private static async Task SendAndCloseAsync(Socket user, byte[] body)
    {
        for (var sent = 0; sent < body.Length;) sent += await user.SendAsync(body.AsMemory(sent));
        user.Shutdown(SocketShutdown.Send);
        await user.ReadToEndAsync();
        user.Dispose();
    }

    /// <summary>Sends until the relay's side is closed; then the kernel answers with a reset.</summary>
    private static async Task SendUntilRefusedAsync(Socket user)
    {
        using var limit = new CancellationTokenSource(ScriptedBackend.Patience);
        var bytes = Encoding.ASCII.GetBytes("more");
        while (!limit.IsCancellationRequested)
        {
            try
            {
                await user.SendAsync(bytes, limit.Token);
                await PassAsync(TimeSpan.FromMilliseconds(5));
            }
            catch (SocketException)
            {
                return;
            }
        }

        Assert.Fail("the relay's side never closed");
    }

    private static async Task<List<RelayFrame>> DrainAsync(ScriptedBackend backend, int count)
    {
        var frames = new List<RelayFrame>();
        while (frames.Count < count) frames.Add(await backend.NextAsync());
        frames.AddRange(await backend.UntilAnsweredAsync());
        return frames;
    }
}
