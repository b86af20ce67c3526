using System.Net.WebSockets;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

/// <summary>Another address or another secret while a session serves.</summary>
[Category("Nexus")]
internal sealed class RelayTunnelRelayChangeTests : RelayTunnelFixture
{
    private const string C = "cccccccc-2222-3333-4444-555555555555";

    [Test]
    public async Task SetTarget_AnotherRelay_MovesThereAndEndsTheOldSession()
    {
        await using var other = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();
        var peer = await under.OpenAsync(_relay, "web.home.test");

        var second = await under.OpenAsync(other, "web.home.test");
        await peer.Ended;

        Assert.That(peer.Goodbye, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
        Assert.That(second.Goodbye, Is.Null);
        Assert.That(under.Tunnel.Status.Reconnects, Is.Zero);
    }

    /// <summary>
    /// Whether it is another relay or the same under another name is not known: users who
    /// still come the old way are served until the old session closes.
    /// </summary>
    [Test]
    public async Task SetTarget_AnotherAddress_TheOldSessionServesUntilTheNewDoesAndWhileItDrains()
    {
        await using var other = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();
        var old = await under.OpenAsync(_relay, "web.home.test");
        await old.ConnectAsync(A, "web.home.test");
        await using var first = await under.AcceptAsync();

        under.Tunnel.SetTarget(TunnelUnderTest.Target(other.Endpoint, "web.home.test"));
        var fresh = await other.NextAsync();
        await old.ConnectAsync(B, "web.home.test");
        await using var during = await under.AcceptAsync();
        await fresh.HandshakeAsync();
        await under.UntilAsync(status => status.Draining.Length == 1);
        await old.ConnectAsync(C, "web.home.test");
        await using var draining = await under.AcceptAsync();

        Assert.That((during.Id, draining.Id), Is.EqualTo(($"1/{B}", $"1/{C}")));
        Assert.That((Weight(old), Weight(fresh)), Is.EqualTo((1, 4)));
        Assert.That(under.Tunnel.Status.Counts.RefusedStreams, Is.Empty);
    }

    [Test]
    public async Task SetTarget_AnotherRelayThatSaysNo_EndsTheOldSessionAllTheSame()
    {
        await using var other = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest();
        var old = await under.OpenAsync(_relay, "web.home.test");

        under.Tunnel.SetTarget(TunnelUnderTest.Target(other.Endpoint, "web.home.test"));
        await (await other.NextAsync()).CloseAsync(WebSocketCloseStatus.PolicyViolation, "token signature is invalid");
        await old.Ended;

        Assert.That((await under.UntilAsync(status => status.State == TunnelState.Refused)).Code, Is.EqualTo("secret_rejected"));
    }

    /// <summary>The relay may have given a user to the old session a moment before it took in the new one.</summary>
    [Test]
    public async Task NewNames_UserOnTheWayToTheOldSession_IsServedByIt()
    {
        await using var under = new TunnelUnderTest();
        var old = await under.OpenAsync(_relay, "web.home.test");
        old.AnswersProbes = false;

        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test", "new.home.test"));
        var fresh = await _relay.NextAsync();
        await fresh.HandshakeAsync();
        await under.UntilAsync(status => status.Draining.Length == 1);
        var question = await old.NextAsync(frame => frame.IsControl("outbound_connect"));
        await old.ConnectAsync(A, "web.home.test");
        await old.AnswerProbeAsync(question);

        await using var user = await under.AcceptAsync();
        Assert.That((user.Id, old.Goodbye), Is.EqualTo(($"1/{A}", default(WebSocketCloseStatus?))));
    }

    /// <summary>The relay goes on choosing a replaced session for a part of the users, such as a CA that validates the new name.</summary>
    [Test]
    public async Task NewNames_UserWhoComesLater_IsServedByTheOldSession()
    {
        await using var under = new TunnelUnderTest(options => options.ReplacedSessionQuiet = TimeSpan.FromMinutes(1));
        var old = await under.OpenAsync(_relay, "web.home.test");
        await under.OpenAsync(_relay, "web.home.test", "new.home.test");
        await under.UntilAsync(status => status.Draining.Length == 1);

        await old.ConnectAsync(A, "web.home.test");

        await using var user = await under.AcceptAsync();
        Assert.That((user.Id, old.Goodbye), Is.EqualTo(($"1/{A}", default(WebSocketCloseStatus?))));
    }

    [Test]
    public async Task NewNames_OldSessionWithoutUsersForAWhile_IsClosed()
    {
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        await using var under = new TunnelUnderTest(options => options.ReplacedSessionQuiet = TimeSpan.FromSeconds(7), time: time);
        await under.OpenAsync(_relay, "web.home.test");
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test", "new.home.test"));
        await time.RunAsync(_relay.AcceptAsync(), TimeSpan.FromSeconds(1));

        await time.PassAsync(TimeSpan.FromSeconds(7));

        await under.UntilAsync(status => status is { Sessions: 1, Hostnames.Count: 2 });
    }
}
