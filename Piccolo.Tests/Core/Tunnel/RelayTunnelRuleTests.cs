using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Core.Tunnel.Streams;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel;

/// <summary>Rules of the protocol that need more than one look: clocks, races, and what must not happen.</summary>
[Category("Nexus")]
internal sealed class RelayTunnelRuleTests : RelayTunnelStreamFixture
{
    [Test]
    public async Task Nx071_EndsFromAllSidesAtOnce_CleanUpOnce()
    {
        for (var round = 0; round < 30; round++)
        {
            var id = $"{round:D8}-0000-4000-8000-000000000071";
            await _peer.ConnectAsync(id, Web);
            var stream = await _under.AcceptAsync();
            await stream.Output.WriteAsync("x"u8.ToArray());

            await Task.WhenAll(
                _peer.DisconnectAsync(id),
                Task.Run(stream.Abort),
                Task.Run(async () => await stream.DisposeAsync()),
                Task.Run(async () => await stream.Output.CompleteAsync(new IOException("the app failed"))));
            await stream.DisposeAsync();
            await BarrierAsync();

            // Either side may be first; the relay hears of it once, whoever is.
            Assert.That(_peer.Unread().Count(frame => frame.IsControl("disconnect", id)), Is.EqualTo(1));
        }
        await _under.UntilAsync(status => status.Streams == 0);
        Assert.That(_under.Tunnel.Status.BufferedBytes, Is.Zero);
    }

    [Test]
    public async Task Nx084_Output_WithoutCredit_MakesTheAppWaitInsteadOfFailing()
    {
        await _peer.ConnectAsync(A, Web, credits: 1);
        await using var stream = await _under.AcceptAsync();
        var body = TunnelUnderTest.Pattern(20 * 32_768);

        var writing = stream.Output.WriteAsync(body).AsTask();
        var received = await _peer.NextPayloadsAsync(A, 32_768);
        await BarrierAsync();
        var waited = !writing.IsCompleted;
        await _peer.GrantAsync(A, 40);
        received.AddRange(await _peer.NextPayloadsAsync(A, 19 * 32_768));
        await writing.WaitAsync(ScriptedRelay.Patience);

        await _peer.DisconnectAsync(A);

        Assert.That(waited, Is.True);
        Assert.That(received.SelectMany(payload => payload).SequenceEqual(body), Is.True);
    }

    [Test]
    public async Task Nx086_Closing_TakesNoBonusBeyondTheGrant()
    {
        await _peer.ConnectAsync(A, Web, credits: 2);
        var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(5 * 32_768));
        var closing = stream.DisposeAsync().AsTask();
        await _peer.NextPayloadsAsync(A, 2 * 32_768);
        await BarrierAsync();

        var beyond = _peer.Unread().Count(frame => frame.IsData && frame.DataId == A);
        await _peer.GrantAsync(A, 8);
        await _peer.NextPayloadsAsync(A, 3 * 32_768);
        await closing.WaitAsync(ScriptedRelay.Patience);

        Assert.That(beyond, Is.Zero);
    }

    [Test]
    public async Task Nx087_AStallOfMinutes_IsNotProbedWithData()
    {
        var time = new FakeTimeProvider();
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(WithoutDeadlines, time: time);
        var peer = await under.OpenAsync(relay, Web);
        await peer.ConnectAsync(A, Web, credits: 1);
        await using var stream = await under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(3 * 32_768));
        await peer.NextDataAsync(A);

        for (var minute = 0; minute < 5; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await peer.SendDataAsync(B, [1]);
            await peer.NextControlAsync("disconnect", B);
        }

        Assert.That(peer.Unread().Any(frame => frame.IsData), Is.False);
        stream.Abort();
    }

    [Test]
    public async Task Nx088_CreditsAndBytesInRaces_NoWakeUpIsLost()
    {
        await _peer.ConnectAsync(A, Web, credits: 1);
        await using var stream = await _under.AcceptAsync();
        const int Rounds = 1500;
        var received = 0;

        var granting = Task.Run(async () => { for (var n = 0; n < Rounds; n++) await _peer.GrantAsync(A, 1); });
        var writing = Task.Run(async () => { for (var n = 0; n < Rounds; n++) await stream.Output.WriteAsync(new byte[] { (byte)n }); });
        while (received < Rounds)
        {
            foreach (var b in (await _peer.NextDataAsync(A)).Payload) Assert.That(b, Is.EqualTo((byte)received++));
        }
        await Task.WhenAll(granting, writing).WaitAsync(ScriptedRelay.Patience);

        Assert.That(received, Is.EqualTo(Rounds));
    }

    [Test]
    public async Task Nx098_CreditThatCouldNotBeReturned_NeverAppearsOnALaterSession()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        for (var message = 0; message < 12; message++) await _peer.SendDataAsync(A, new byte[10]);
        await TunnelUnderTest.ReadAsync(stream.Input, 70);

        _peer.Cut();
        var again = await _relay.AcceptAsync();
        await OnlineAgainAsync();
        // What the app still had may be consumed now: it earns nothing, since nobody is there to earn it from.
        await stream.Input.CompleteAsync();
        await again.SendDataAsync(B, [1]);
        await again.NextControlAsync("disconnect", B);

        Assert.That(again.Unread().Where(frame => frame.IsControl("resume_stream")), Is.Empty);

        async Task OnlineAgainAsync() => await _under.UntilAsync(status => status is { State: TunnelState.Online, Reconnects: 1 });
    }

    [Test]
    public async Task Nx105_AnAppThatDoesNotRead_IsNeverPaused()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        for (var message = 0; message < 64; message++) await _peer.SendDataAsync(A, new byte[100]);
        await BarrierAsync();
        await TunnelUnderTest.ReadAsync(stream.Input, 6400);
        await BarrierAsync();

        // 64 messages are a whole window: what comes back is credit for what was read, and nothing else.
        var grants = _peer.Unread().Where(frame => frame.IsControl("resume_stream", A)).ToList();
        Assert.That(_peer.Unread().Any(frame => frame.IsControl("pause_stream")), Is.False);
        Assert.That(grants, Has.All.Matches<RelayFrame>(frame => (int?)frame!.Control!["credits"] > 0));
        Assert.That(grants.Sum(frame => (int)frame.Control!["credits"]!), Is.EqualTo(8 + 16),
            "the first few, and as many again as a stream of small messages gets");
    }

    [Test]
    public async Task Nx110_AStreamThatTheRelayForgot_IsClosed_AndOneThatItKnowsIsNot()
    {
        var time = new FakeTimeProvider();
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(WithoutDeadlines, time: time);
        var peer = await under.OpenAsync(relay, Web);
        await peer.ConnectAsync(A, Web);
        await peer.ConnectAsync(B, Web);
        await using var forgotten = await under.AcceptAsync();
        await using var known = await under.AcceptAsync();

        var steps = 0;
        for (; steps < 100 && !peer.Unread().Any(frame => frame.IsControl("disconnect", A)); steps++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await BarrierOfAsync(peer);
            // One question at most is asked in each step, and its answer is read before the next.
            while (peer.Unread().Any(frame => frame.IsControl("ping_client", B)))
            {
                await peer.NextControlAsync("ping_client", B);
                await peer.SendControlAsync($$"""{"event":"pong_client","client_id":"{{B}}"}""");
            }
            await BarrierOfAsync(peer);
        }

        Assert.That((string)(await peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("timeout"));
        await TunnelUnderTest.ClosedAsync(forgotten);
        Assert.That(steps, Is.GreaterThan(6), "not before a minute without data");
        Assert.That((known.Closed.IsCancellationRequested, under.Tunnel.Status.Streams), Is.EqualTo((false, 1)));
    }

    [Test]
    public async Task Nx110_ARelayThatNeverAnswersQuestions_KeepsItsStreams()
    {
        var time = new FakeTimeProvider();
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(WithoutDeadlines, time: time);
        var peer = await under.OpenAsync(relay, Web);
        await peer.ConnectAsync(A, Web);
        await using var stream = await under.AcceptAsync();

        var asked = 0;
        for (var step = 0; step < 200 && asked < 8; step++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await BarrierOfAsync(peer);
            asked = peer.Unread().Count(frame => frame.IsControl("ping_client", A));
        }

        Assert.That(asked, Is.GreaterThanOrEqualTo(8));
        Assert.That((stream.Closed.IsCancellationRequested, under.Tunnel.Status.Streams), Is.EqualTo((false, 1)));
    }

    [TestCase("other.home.test")]
    [TestCase("a.web.home.test")]
    [TestCase("home.test")]
    [TestCase("tcp:53")]
    [TestCase("tcp:443")]
    [TestCase("*")]
    [TestCase("localhost")]
    [TestCase("127.0.0.1")]
    [TestCase("")]
    public async Task Nx131_UserOfANameThatWeDidNotClaim_FallsToNothing(string hostname)
    {
        await _peer.ConnectAsync(A, hostname);
        var end = await _peer.NextControlAsync("disconnect", A);

        Assert.That((string)end["reason"]!, Is.EqualTo("dial_failed"));
        Assert.That(_peer.Unread().Any(frame => frame.IsControl("resume_stream", A)), Is.False, "nothing is granted to it");
        Assert.That(_under.Tunnel.Status.Streams, Is.Zero);
        Assert.That(_under.Tunnel.Status.Counts.RefusedStreams["hostname"], Is.EqualTo(1));
    }

    [Test]
    public async Task Nx134_Nx136_UdpUser_IsSentAwayAndGrantedNothing()
    {
        await _peer.ConnectAsync(A, Web, transport: "udp");
        await _peer.ConnectAsync(B, "udp:53", transport: "udp");
        await _peer.SendDataAsync(A, "a datagram"u8.ToArray());

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("dial_failed"));
        Assert.That((string)(await _peer.NextControlAsync("disconnect", B))["reason"]!, Is.EqualTo("dial_failed"));
        await BarrierAsync();
        // A first grant would bind the relay to it, and the port's one reader to the credits.
        Assert.That(_peer.Unread().Any(frame => frame.IsControl("resume_stream")), Is.False);
        Assert.That(_under.Tunnel.Status.Counts.RefusedStreams["transport"], Is.EqualTo(2));
    }

    [Test]
    public async Task Nx139_OutboundResultThatNobodyAskedFor_OpensNothing()
    {
        await _peer.SendControlAsync($$"""{"event":"outbound_result","client_id":"{{A}}","success":true,"credits":64}""");
        await _peer.SendDataAsync(A, "from nowhere"u8.ToArray());

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("unknown"));
        Assert.That((_under.Tunnel.Status.Streams, _under.Tunnel.Status.State), Is.EqualTo((0, TunnelState.Online)));
    }

    [Test]
    public async Task Nx141_Streams_OfADeadSession_FailAtOnce()
    {
        await _peer.ConnectAsync(A, Web, credits: 1);
        var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(2 * 32_768));
        _peer.Cut();
        await TunnelUnderTest.ClosedAsync(stream);

        // The limit of a drain is 15 s here, and none of it is used.
        // A write can still be taken in the moment of the end; one that waits would run into the limit.
        while (!(await stream.Output.WriteAsync(TunnelUnderTest.Pattern(32_768)).AsTask().WaitAsync(TimeSpan.FromSeconds(10))).IsCompleted)
        {
        }
        await stream.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        await _relay.AcceptAsync();
    }

    [Test]
    public async Task Nx142_Stop_DoesNotWaitForARelayThatIsSilent()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        await using var under = new TunnelUnderTest(options => options.StopDrain = TimeSpan.FromMinutes(2));
        var peer = await under.OpenAsync(relay, Web);
        peer.IsStalled = true;

        // Without streams there is nothing to drain; only the goodbye has a limit, of a second.
        await under.StopAsync().WaitAsync(TimeSpan.FromSeconds(15));
        peer.IsStalled = false;

        Assert.That(under.Tunnel.Status.State, Is.EqualTo(TunnelState.Disabled));
    }

    // On a clock that leaps, a ping or a message would seem to have waited for minutes.
    private static void WithoutDeadlines(TunnelOptions options) =>
        options.KeepAliveInterval = options.KeepAliveTimeout = options.WriteTimeout = TimeSpan.FromDays(1);

    private static async Task BarrierOfAsync(RelayPeer peer)
    {
        await peer.SendDataAsync("bbbbbbbb-0000-0000-0000-000000000000", [1]);
        await peer.NextControlAsync("disconnect", "bbbbbbbb-0000-0000-0000-000000000000");
    }
}
