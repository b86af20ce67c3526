using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Hub;

[Category("DevRelay"), Category("Nexus")]
[Category("Timing")]
internal sealed class HealthTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Nx109_PingClient_IsAnsweredAndDoesNotRefreshTheIdleTimer()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.IdleTimeout = TimeSpan.FromMilliseconds(500));
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var from = TimeProvider.System.GetTimestamp();
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        var pongs = 0;

        RelayFrame frame;
        do
        {
            await backend.SendControlAsync("ping_client", id);
            frame = await backend.NextAsync();
            Assert.That(frame.Id, Is.EqualTo(id));
            if (frame.Event == "pong_client") pongs++;
            Assert.That(TimeProvider.System.GetElapsedTime(from), Is.LessThan(ScriptedBackend.Patience));
        }
        while (frame.Event != "disconnect");

        Assert.That(pongs, Is.Positive);
    }

    [Test]
    public async Task Nx111_DownlinkActivity_PostponesTheIdleTimeout()
    {
        var idle = TimeSpan.FromMilliseconds(600);
        await using var relay = await RelayFixture.StartAsync(o => o.IdleTimeout = idle);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        for (var i = 0; i < 8; i++)
        {
            await StreamSteps.PassAsync(idle / 4);
            await backend.SendDataAsync(id, [1]);
            await user.ReadExactlyAsync(1);
        }

        // Twice the idle timeout has passed, and only now is it quiet both ways.
        Assert.That(relay.Sessions().Single().Streams, Has.Count.EqualTo(1));
        RelayFrame frame;
        while ((frame = await backend.NextAsync()).Event == "resume_stream")
        {
        }

        Assert.That((frame.Event, frame.Id), Is.EqualTo(("disconnect", id)));
        Assert.That(await user.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx112_Relay_PingsAndAnswersKeepTheSession()
    {
        await using var relay = await StartQuickAsync(slower: 4);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var next = backend.NextAsync();
        while (backend.PingsSeen < 8) Assert.That(await Task.WhenAny(next, StreamSteps.PassAsync(TimeSpan.FromMilliseconds(20))), Is.Not.SameAs(next));

        // Eight ping periods are twice the silence limit.
        Assert.That(relay.Sessions(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Nx112_PingsOfTheBackend_DoNotCountAsLife()
    {
        await using var relay = await StartQuickAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        backend.AnswersPings = false;
        var gone = relay.WaitForSessionsAsync(s => s.Count == 0, default);

        while (!gone.IsCompleted)
        {
            await backend.SendAsync(0x9, "alive?"u8.ToArray());
            await Task.WhenAny(gone, StreamSteps.PassAsync(TimeSpan.FromMilliseconds(20)));
            if (backend.PingsSeen > 200) Assert.Fail("the session lives on without a pong");
        }

        Assert.That((await backend.NextAsync()).Bare, Is.True);
    }

    [Test]
    public async Task Nx112_UnsolicitedPongs_DoCountAsLife()
    {
        await using var relay = await StartQuickAsync(slower: 4);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        backend.AnswersPings = false;
        var next = backend.NextAsync();

        for (var i = 0; i < 240; i++)
        {
            await backend.SendAsync(0xA, []);
            await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(20));
        }

        Assert.That(next.IsCompleted, Is.False);
        Assert.That(relay.Sessions(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Mute_LeavesTheConnectionOpenAndSilent()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        relay.Faults.Mute = true;
        using var user = await relay.KnockAsync(RelayFixture.Get(Host));
        await relay.WaitForStreamAsync();
        var next = backend.NextAsync();
        await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(100));
        Assert.That(next.IsCompleted, Is.False);

        relay.Faults.Mute = false;

        Assert.That((await next).Event, Is.EqualTo("connect"));
    }

    [Test]
    public async Task Hang_AcceptsAndNeverAnswers()
    {
        await using var relay = await RelayFixture.StartAsync();
        relay.Faults.Hang = true;

        var connecting = ScriptedBackend.ConnectAsync(relay);

        Assert.That(await Task.WhenAny(connecting, StreamSteps.PassAsync(TimeSpan.FromMilliseconds(150))), Is.Not.SameAs(connecting));
        await relay.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => connecting, "what the backend sent was never read, so the end is a reset");
    }

    [Test]
    public async Task ChallengeDelay_WithholdsTheChallenge()
    {
        await using var relay = await RelayFixture.StartAsync();
        relay.Faults.ChallengeDelay = TimeSpan.FromMilliseconds(300);
        var from = TimeProvider.System.GetTimestamp();

        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        Assert.That(TimeProvider.System.GetElapsedTime(from), Is.GreaterThan(TimeSpan.FromMilliseconds(290)));
    }

    /// <param name="slower">Where a session must live: then its answers have to come in time, on a busy machine too.</param>
    private static Task<Relay> StartQuickAsync(int slower = 1) => RelayFixture.StartAsync(o =>
        o.Clocks = new RelayClocks { Ping = TimeSpan.FromMilliseconds(150) * slower, Silence = TimeSpan.FromMilliseconds(600) * slower });
}
