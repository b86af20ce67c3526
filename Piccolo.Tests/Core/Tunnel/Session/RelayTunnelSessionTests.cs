using System.Net;
using System.Net.WebSockets;
using System.Text;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

[Category("Nexus")]
internal sealed class RelayTunnelSessionTests : RelayTunnelFixture
{
    [Test]
    public async Task Nx145_Loss_EndsTheStreamsAndANewSessionIsOpened()
    {
        await using var under = new TunnelUnderTest();
        var peer = await under.OpenAsync(_relay, "web.home.test");
        await peer.ConnectAsync(A, "web.home.test");
        await using var stream = await under.AcceptAsync();

        peer.Cut();
        await TunnelUnderTest.ClosedAsync(stream);
        var again = await _relay.AcceptAsync();
        var status = await under.UntilAsync(status => status.State == TunnelState.Online && status.Reconnects == 1);

        Assert.That(async () => await stream.Input.ReadAsync(), Throws.InstanceOf<IOException>());
        Assert.That((status.Streams, status.Sessions), Is.EqualTo((0, 1)));
        await again.ConnectAsync(B, "web.home.test");
        await using var fresh = await under.AcceptAsync();
        Assert.That(fresh.Id, Does.EndWith(B));
    }

    /// <summary>A refused attempt, the one after it, and the session after a loss: three times both tokens, signed at that moment.</summary>
    [Test]
    public async Task Nx030_EachAttempt_SignsItsOwnTokens()
    {
        var time = new SteppedTime(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));
        await using var under = new TunnelUnderTest(options => options.ReconnectBase = options.ReconnectMax = TimeSpan.FromSeconds(6), time: time);
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test"));
        var pause = TimeSpan.FromSeconds(3);
        var began = time.GetUtcNow().ToUnixTimeSeconds();

        var refused = await _relay.AcceptAsync();
        await refused.CloseAsync(WebSocketCloseStatus.PolicyViolation, "no valid hostnames after normalization");
        await time.PassAsync(pause);
        var second = await _relay.AcceptAsync();
        await under.UntilAsync(status => status.State == TunnelState.Online);
        second.Cut();
        await time.PassAsync(pause);
        var third = await _relay.AcceptAsync();

        RelayPeer[] attempts = [refused, second, third];
        Assert.That(attempts.SelectMany(a => (string[])[a.HandshakeToken, a.AttestedToken]), Is.Unique, "no token is used twice");
        Assert.That(attempts.Select(a => (long)RelayTunnelHandshakeTests.Claims(a.HandshakeToken)["iat"]! - began), Is.EqualTo(new[] { 0, 3, 6 }));
        Assert.That(attempts.Select(a => (long)RelayTunnelHandshakeTests.Claims(a.AttestedToken)["iat"]! - began), Is.EqualTo(new[] { 0, 3, 6 }));
    }

    [Test]
    public async Task Nx140_Loss_NothingOfTheOldSessionAppearsOnTheNew()
    {
        await using var under = new TunnelUnderTest();
        var peer = await under.OpenAsync(_relay, "web.home.test");
        await peer.ConnectAsync(A, "web.home.test", credits: 1);
        var stream = await under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(3 * 32_768));
        await peer.NextDataAsync(A);

        peer.Cut();
        var again = await _relay.AcceptAsync();
        await stream.DisposeAsync().AsTask().WaitAsync(ScriptedRelay.Patience);
        await again.SendDataAsync(B, [1]);
        await again.NextControlAsync("disconnect", B);

        Assert.That(again.Unread(), Is.Empty);
    }

    [Test]
    public async Task Nx144_Unreachable_WaitsGrowAndItNeverGivesUp()
    {
        await _relay.DisposeAsync();
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        await using var under = new TunnelUnderTest(
            options => (options.ReconnectBase, options.ReconnectMax) = (TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(1)), random: () => 0.5, time: time);
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test"));
        // Quick ones first, because most outages are short; then each is twice the one before, up to the longest.
        double[] expected = [1.5, .. Enumerable.Repeat(3.0, 179), 6, 12, 24, 30, 30, 30];

        var waits = new List<double>();
        var last = DateTimeOffset.MinValue;
        TunnelStatus? status = null;
        while (waits.Count < expected.Length)
        {
            status = await under.UntilAsync(status => status is { State: TunnelState.Waiting, Until: { } next } && next > last);
            last = status.Until!.Value;
            var wait = last - time.GetUtcNow();
            waits.Add(wait.TotalSeconds);
            if (waits.Count == expected.Length) _relay = await ScriptedRelay.StartAsync(port: _relay.Endpoint.Port);
            await time.PassAsync(wait);
        }
        await _relay.AcceptAsync();
        await under.UntilAsync(status => status.State == TunnelState.Online);

        Assert.That(waits, Is.EqualTo(expected));
        Assert.That(status!.Code, Is.EqualTo("unreachable"));
        Assert.That(status.NextStep, Is.Not.Empty);
    }

    [Test]
    public async Task NotARelay_IsRefusedWithTheHttpStatus()
    {
        await using var under = new TunnelUnderTest();

        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri(_relay.Endpoint, "/nowhere"), "web.home.test"));
        var status = await under.UntilAsync(status => status.State == TunnelState.Refused);

        Assert.That(status.Code, Is.EqualTo("not_a_relay"));
        Assert.That(status.Reason, Does.Contain("404"));
    }

    [TestCase("http://relay.test")]
    [TestCase("ws://relay.test")]
    public async Task BadEndpoint_IsRefusedWithoutDialling(string endpoint)
    {
        await using var under = new TunnelUnderTest();

        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri(endpoint), "web.home.test"));

        Assert.That((await under.UntilAsync(status => status.State == TunnelState.Refused)).Code, Is.EqualTo("bad_endpoint"));
    }

    [Test]
    public async Task SetTarget_WhileWaiting_WakesAtOnce()
    {
        await using var under = new TunnelUnderTest(options => options.ReconnectBase = options.ReconnectMax = TimeSpan.FromHours(1));
        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri("ws://127.0.0.1:1"), "web.home.test"));
        await under.UntilAsync(status => status.State == TunnelState.Waiting);

        await under.OpenAsync(_relay, "web.home.test");

        Assert.That(under.Tunnel.Status.Reason, Is.Null);
    }

    [Test]
    public async Task SetTarget_WhileARelayIsSilent_GivesThatAttemptUp()
    {
        await using var silent = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.ChallengeTimeout = TimeSpan.FromMinutes(2));
        under.Tunnel.SetTarget(TunnelUnderTest.Target(silent.Endpoint, "web.home.test"));
        var stuck = await silent.NextAsync();
        await stuck.NextTextAsync();

        await under.OpenAsync(_relay, "web.home.test");

        await stuck.Ended;
    }

    [Test]
    public async Task SetTarget_NullOrNoNames_ClosesAtOnce()
    {
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        await using var under = new TunnelUnderTest(time: time);
        var peer = await under.OpenAsync(_relay, "web.home.test");
        await peer.ConnectAsync(A, "web.home.test");
        await using var stream = await under.AcceptAsync();

        under.Tunnel.SetTarget(null);
        await TunnelUnderTest.ClosedAsync(stream);
        await peer.Ended;
        var off = await under.UntilAsync(status => status.State == TunnelState.Disabled);
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint));
        var nameless = await under.UntilAsync(status => status.Code == "no_names");

        Assert.That(peer.Goodbye, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
        Assert.That((off.Sessions, off.Streams, off.Hostnames.Count), Is.EqualTo((0, 0, 0)));
        Assert.That(nameless.State, Is.EqualTo(TunnelState.Disabled));
        await TunnelUnderTest.AssertDialsNoMoreAsync(_relay, time);
    }

    [Test]
    public async Task Stop_LetsStreamsEnd_RefusesNewOnes_AndSaysGoodbye()
    {
        await using var under = new TunnelUnderTest(options => options.StopDrain = TimeSpan.FromSeconds(15));
        var peer = await under.OpenAsync(_relay, "web.home.test");
        await peer.ConnectAsync(A, "web.home.test");
        var stream = await under.AcceptAsync();

        var stopping = under.StopAsync();
        await under.UntilAsync(status => status.State == TunnelState.Draining);
        await peer.ConnectAsync(B, "web.home.test");
        var refused = await peer.NextControlAsync("disconnect", B);
        await stream.Output.WriteAsync("last words"u8.ToArray());
        await stream.DisposeAsync();
        await stopping;

        Assert.That((string)refused["reason"]!, Is.EqualTo("dial_failed"));
        Assert.That(Encoding.ASCII.GetString((await peer.NextDataAsync(A)).Payload), Is.EqualTo("last words"));
        Assert.That((string)(await peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("normal"));
        await peer.Ended;
        Assert.That(peer.Goodbye, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
        Assert.That(await under.Tunnel.AcceptAsync(CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task Stop_WithAStreamThatGoesOn_CutsItAfterTheLimit()
    {
        await using var under = new TunnelUnderTest(options => options.StopDrain = TimeSpan.FromMilliseconds(100));
        var peer = await under.OpenAsync(_relay, "web.home.test");
        await peer.ConnectAsync(A, "web.home.test");
        await using var stream = await under.AcceptAsync();

        await under.StopAsync();

        await TunnelUnderTest.ClosedAsync(stream);
        Assert.That(under.Tunnel.Status.State, Is.EqualTo(TunnelState.Disabled));
    }

    [Test]
    public async Task AllowPrivateClientAddresses_KeepsLoopbackUsers()
    {
        await using var under = new TunnelUnderTest(options => options.AllowPrivateClientAddresses = true);
        var peer = await under.OpenAsync(_relay, "web.home.test");

        await peer.ConnectAsync(A, "web.home.test", client: "127.0.0.1:5000");
        await using var stream = await under.AcceptAsync();

        Assert.That(stream.Client, Is.EqualTo(IPEndPoint.Parse("127.0.0.1:5000")));
    }
}
