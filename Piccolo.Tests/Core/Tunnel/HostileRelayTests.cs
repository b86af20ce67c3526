using System.Net.WebSockets;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Core.Tunnel.Session;
using Piccolo.Tests.Core.Tunnel.Streams;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel;

/// <summary>A relay that does what none should: nobody else is disturbed, nothing grows, and the log says it once.</summary>
[Category("Nexus")]
internal sealed class HostileRelayTests
{
    private const string A = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    private const string Web = "web.home.test";

    [Test]
    public async Task CreditsInFloods_AreTaken_AndAnotherStreamIsServed()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        using var log = new CapturedLog();
        await using var under = new TunnelUnderTest(logger: log.For<RelayTunnel>());
        var peer = await under.OpenAsync(relay, Web);
        await peer.ConnectAsync(A, Web);
        await using var stream = await under.AcceptAsync();
        var lines = log.Entries.Count;

        for (var n = 0; n < 20_000; n++) await peer.GrantAsync(n % 2 == 0 ? A : Guid.NewGuid().ToString(), 1_000_000);
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(100_000));

        Assert.That((await peer.NextPayloadsAsync(A, 100_000)).Sum(part => part.Length), Is.EqualTo(100_000));
        Assert.That((log.Entries.Count, under.Tunnel.Status.Streams), Is.EqualTo((lines, 1)));
    }

    [Test]
    public async Task NoAnswerToAnyQuestion_TheLimitHolds_AndNobodyIsEnded()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(
            options => (options.MaxStreams, options.StreamIdle, options.StreamPong) = (8, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20)));
        var peer = await under.OpenAsync(relay, Web);
        for (var n = 0; n < 40; n++) await peer.ConnectAsync($"{n:D8}-0000-4000-8000-000000000001", Web);
        for (var n = 8; n < 40; n++) await peer.NextControlAsync("disconnect", $"{n:D8}-0000-4000-8000-000000000001");

        // Many more looks than it takes to end a stream of a relay that answers.
        for (var asked = 0; asked < 6; asked++) await peer.NextControlAsync("ping_client", "00000003-0000-4000-8000-000000000001");

        Assert.That((under.Tunnel.Status.Streams, under.Tunnel.Status.Counts.RefusedStreams["stream_limit"]), Is.EqualTo((8, 32L)));
    }

    [Test]
    public async Task DisconnectsThatAreRepeated_EndTheirStreamsOnce()
    {
        await using var app = await RelayedApp.StartAsync();
        app.Relay.Faults.RepeatDisconnects = true;

        var wrong = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => app.PassAsync(new Passage(n, Course.Echo, 4_000, IsTls: true))));
        await app.UntilEmptyAsync();

        Assert.That(wrong.OfType<string>(), Is.Empty);
        Assert.That((app.Under.Tunnel.Status.Reconnects, app.Under.Tunnel.Status.Counts.CutStreams), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public async Task ClosesWithEveryCode_AreEachOneLineAndANewSession()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        using var log = new CapturedLog();
        await using var under = new TunnelUnderTest(logger: log.For<RelayTunnel>());
        var peer = await under.OpenAsync(relay, Web);
        var lost = 0;
        int[] codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999];
        foreach (var code in codes)
        {
            await peer.CloseAsync((WebSocketCloseStatus)code, "so it is");
            peer = await relay.AcceptAsync();
            lost++;
            await under.UntilAsync(status => status.State == TunnelState.Online && status.Reconnects == lost);
        }

        Assert.That((long)RelayTunnelHandshakeTests.Claims(peer.AttestedToken)["weight"]!, Is.EqualTo(1), "a relay that says so has let the session go");
        Assert.That((log.Count(3002), log.Count(3001)), Is.EqualTo((codes.Length, 0)));
        Assert.That(under.Tunnel.Status.Sessions, Is.EqualTo(1));
    }

    /// <summary>The relay keeps each for a minute, whatever comes after it.</summary>
    [Test]
    public async Task FiveDeadSessions_TakeFewUsersFromTheSixth()
    {
        await using var app = await RelayedApp.StartAsync(options => options.KeepAliveInterval = options.KeepAliveTimeout = TimeSpan.FromMilliseconds(200));
        for (var lost = 1; lost <= 5; lost++)
        {
            app.Relay.StrandSessions();
            await app.Under.UntilAsync(status => status.State == TunnelState.Online && status.Reconnects == lost);
        }

        var weights = app.Relay.Sessions().Select(s => s.Weight).ToList();
        var served = await RelayPressureTests.ServedAsync(app, 100);

        Assert.That(weights, Is.EqualTo(new[] { 1, 32, 1 << 10, 1 << 15, 1 << 20, 1 << 25 }));
        Assert.That(served, Is.GreaterThanOrEqualTo(95));
    }
}
