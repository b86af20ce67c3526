using System.Net.Sockets;
using System.Text;
using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Streams;

/// <summary>How a stream ends at the relay, by the backend, the user or the session.</summary>
[Category("DevRelay"), Category("Nexus")]
internal sealed class StreamEndTests
{
    private const string Host = "app.example.test";

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
        var (user, id) = await StreamSteps.OpenTlsAsync(relay, backend);
        using var open = user;

        await backend.SendControlAsync("disconnect", id, j => j["reason"] = "normal");
        await user.ReadToEndAsync();
        await user.SendAsync("late"u8.ToArray());

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx062_TlsUserAfterABackendDisconnect_GetsBufferedDataThenFinThenClose()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks
        {
            HalfCloseGrace = TimeSpan.FromMilliseconds(400),
            Flush = TimeSpan.FromSeconds(5),
        });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await StreamSteps.OpenTlsAsync(relay, backend);
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
        var (user, id) = await StreamSteps.OpenTlsAsync(relay, backend);
        using var open = user;
        await backend.SendControlAsync("disconnect", id);
        Assert.That(await user.ReadToEndAsync(), Is.Empty);

        relay.DropSessions();

        await SendUntilRefusedAsync(user);
    }

    [Test]
    public async Task Nx064_PlainUserAfterABackendDisconnect_IsClosedAtOnce()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks
        {
            HalfCloseGrace = TimeSpan.FromHours(1),
            Flush = TimeSpan.FromSeconds(5),
        });
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
        var sent = await StreamSteps.FillAsync(relay, backend, id, 100);

        await backend.SendControlAsync("disconnect", id);
        await backend.UntilAnsweredAsync();
        Assert.That(relay.Sessions().Single().Streams, Is.Empty);
        // The stream's own loop is gone only after the flush window; another stream's life proves that it passed.
        await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(500));

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
    public async Task Nx146_OnSessionLoss_TlsUsersGetFinAtOnceAndPlainOnesAreClosed()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Clocks = new RelayClocks { HalfCloseGrace = TimeSpan.FromMilliseconds(400) });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (tls, _) = await StreamSteps.OpenTlsAsync(relay, backend);
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
                await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(5));
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
