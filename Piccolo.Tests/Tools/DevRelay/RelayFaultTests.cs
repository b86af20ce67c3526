using Piccolo.DevRelay.Hub;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay;

/// <summary>What the stock relay does to backends at its limits.</summary>
[Category("DevRelay"), Category("Nexus")]
internal sealed class RelayFaultTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task StrandedSession_HearsNothing_AndTakesUsersByItsWeightUntilItsSilenceIsOver()
    {
        var time = HandshakeSteps.FixedTime();
        await using var relay = await RelayFixture.StartAsync(options => options.Time = time);
        await using var dead = await ScriptedBackend.OpenAsync(relay, TestTokens.Claims(Host).With("weight", 3));

        Assert.That(relay.StrandSessions(), Is.EqualTo(1));
        await dead.DisposeAsync();
        await using var alive = await ScriptedBackend.OpenAsync(relay, TestTokens.Claims(Host));
        var users = new List<System.Net.Sockets.Socket>();
        for (var i = 0; i < 8; i++) users.Add(await relay.KnockAsync(RelayFixture.Get(Host)));
        for (var i = 0; i < 2; i++) await alive.NextDataAsync((await alive.NextControlAsync("connect")).Id);
        while (relay.Sessions()[0].Streams.Count < 6) await Task.Yield();
        var between = relay.Sessions();
        time.Advance(TimeSpan.FromSeconds(59));
        await alive.UntilAnsweredAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        await relay.WaitForSessionsAsync(sessions => sessions.Count == 1, default).WaitAsync(ScriptedBackend.Patience);

        Assert.That(between.Select(s => (s.Weight, s.Streams.Count)), Is.EqualTo(new[] { (3, 6), (1, 2) }));
        Assert.That(relay.Sessions()[0].Weight, Is.EqualTo(1));
        users.ForEach(u => u.Dispose());
    }

    [Test]
    public async Task LoseDisconnects_TheBackendNeverHearsThatAUserLeft_ButIsAnsweredWhenItAsks()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        relay.Faults.LoseDisconnects = true;
        var (user, gone) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        var (second, here) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = second;

        user.Dispose();
        while (relay.Sessions()[0].Streams.Count > 1) await Task.Yield();
        await backend.SendControlAsync("ping_client", gone);
        await backend.SendControlAsync("ping_client", here);
        var frames = await backend.UntilAnsweredAsync();

        Assert.That(frames.Select(f => (f.Event, f.Id)), Is.EqualTo(new[] { ("pong_client", here) }));
        Assert.That(relay.Metrics(), Does.Contain("devrelay_disconnects_lost_total 1\n"));
    }

    [Test]
    public async Task UsersWhoSendMoreThanTheLaneTakes_AreEnded()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        List<System.Net.Sockets.Socket> users = [];
        for (var i = 0; i < 6; i++)
        {
            var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
            users.Add(user);
            await backend.GrantAsync(id, 64);
        }

        await backend.UntilAnsweredAsync();
        relay.Faults.Mute = true;
        var sending = users.Select(user => user.SendAsync(new byte[8 << 20])).ToList();
        // Six windows of 64 messages are more than the lane of 256.
        while (relay.Sessions()[0].Streams.Count == 6) await Task.Yield();

        Assert.That(relay.Metrics(), Does.Match("devrelay_streams_without_room_total [1-9]"));
        users.ForEach(u => u.Dispose());
        await Task.WhenAll(sending).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [TestCase(1000, 1)]
    [TestCase(1001, 0)]
    [TestCase(3000, 1)]
    public async Task CloseOfTheBackend_OtherThan1001_CountsAsUnexpected(int code, int expected)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        await backend.SendAsync((int)WebSocketOpcode.Close, [(byte)(code >> 8), (byte)code]);
        Assert.That((await backend.NextAsync()).CloseCode, Is.EqualTo(code));
        await relay.WaitForSessionsAsync(sessions => sessions.Count == 0, default).WaitAsync(ScriptedBackend.Patience);

        Assert.That(relay.Metrics(), Does.Contain($"devrelay_closes_unexpected_total {expected}\n"));
    }
}
