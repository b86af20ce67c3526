using System.Net.WebSockets;
using System.Text;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

/// <summary>The names that a session claims, and the session that follows when they change.</summary>
[Category("Nexus")]
internal sealed class RelayTunnelNamesTests : RelayTunnelFixture
{
    [Test]
    public async Task SetTarget_NullWhileNewNamesAreGathered_ClosesAtOnce()
    {
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        var debounce = TimeSpan.FromMilliseconds(297);
        await using var under = new TunnelUnderTest(options => options.HostnameDebounce = debounce, time: time);
        var peer = await under.OpenAsync(_relay, "web.home.test");
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test", "new.home.test"));
        await time.ArmedAsync(debounce);

        under.Tunnel.SetTarget(null);

        await peer.Ended;
        await under.UntilAsync(status => status.State == TunnelState.Disabled);
    }

    [Test]
    public async Task Nx150_SetTarget_NamesAreNormalised_AndBrokenOnesLeftOut()
    {
        await using var under = new TunnelUnderTest();
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "WEB.home.test.", "tcp:53", "b_d.test", "*.home.test", "web.home.test"));

        var peer = await _relay.AcceptAsync();

        Assert.That(RelayTunnelHandshakeTests.Claims(peer.HandshakeToken)["hostnames"]!.ToJsonString(), Is.EqualTo("""["web.home.test"]"""));
    }

    [Test]
    public async Task Nx148_NewNames_AreClaimedByASecondSessionWhileADownloadRunsOn()
    {
        await using var under = new TunnelUnderTest();
        var old = await under.OpenAsync(_relay, "web.home.test", "gone.home.test");
        await old.ConnectAsync(A, "web.home.test", credits: 4);
        var download = await under.AcceptAsync();
        var body = TunnelUnderTest.Pattern(40 * 32_768);
        var writing = download.Output.WriteAsync(body).AsTask();
        var received = await old.NextPayloadsAsync(A, 4 * 32_768);

        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test", "new.home.test"));
        var fresh = await _relay.NextAsync();
        fresh.AnswersProbes = false;
        await fresh.HandshakeAsync();
        var probe = await fresh.NextAsync(frame => frame.IsControl("outbound_connect"));
        var meanwhile = under.Tunnel.Status;
        fresh.AnswersProbes = true;
        await fresh.AnswerProbeAsync(probe);
        var both = await under.UntilAsync(status => status.Hostnames.Contains("new.home.test"));

        // The same id on the other session is another stream; the old session takes users of names that still exist, and no others.
        await fresh.ConnectAsync(A, "new.home.test");
        await using var user = await under.AcceptAsync();
        await old.ConnectAsync(B, "gone.home.test");
        var refused = await old.NextControlAsync("disconnect", B);
        await user.Output.WriteAsync("hello"u8.ToArray());
        var hello = await fresh.NextDataAsync(A);
        await old.GrantAsync(A, 36);
        received.AddRange(await old.NextPayloadsAsync(A, 36 * 32_768));
        await writing;
        await old.GrantAsync(A, 40);
        await download.DisposeAsync();
        await old.Ended;
        var after = await under.UntilAsync(status => status.Sessions == 1);

        Assert.That((meanwhile.State, meanwhile.Sessions, meanwhile.Hostnames.Contains("gone.home.test")), Is.EqualTo((TunnelState.Online, 1, true)));
        Assert.That((both.Sessions, both.State), Is.EqualTo((2, TunnelState.Online)));
        Assert.That((Weight(old), Weight(fresh)), Is.EqualTo((1, 4)));
        Assert.That(user.Id, Is.Not.EqualTo(download.Id));
        Assert.That(Encoding.ASCII.GetString(hello.Payload), Is.EqualTo("hello"));
        Assert.That((string)refused["reason"]!, Is.EqualTo("dial_failed"));
        Assert.That(received.SelectMany(payload => payload).SequenceEqual(body), Is.True);
        Assert.That(old.Goodbye, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
        Assert.That((after.Streams, after.Reconnects, fresh.Goodbye), Is.EqualTo((1, 0L, default(WebSocketCloseStatus?))));
    }

    [Test]
    public async Task NewNames_RefusedByTheRelay_KeepTheOldSessionServing()
    {
        await using var under = new TunnelUnderTest(options => options.ReconnectBase = options.ReconnectMax = TimeSpan.FromMinutes(1));
        var old = await under.OpenAsync(_relay, "web.home.test");

        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test", "new.home.test"));
        var fresh = await _relay.NextAsync();
        await fresh.CloseAsync(WebSocketCloseStatus.PolicyViolation, "no valid hostnames after normalization");
        var status = await under.UntilAsync(status => status.Code is not null);
        await old.ConnectAsync(A, "web.home.test");
        await using var stream = await under.AcceptAsync();

        Assert.That((status.State, status.Code, status.Until is not null), Is.EqualTo((TunnelState.Online, "names_rejected", true)));
        Assert.That(status.Hostnames, Is.EqualTo(new[] { "web.home.test" }));
        Assert.That(stream.Hostname, Is.EqualTo("web.home.test"));
    }

    [Test]
    public async Task NewNames_InABurst_AreOneNewSession()
    {
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        await using var under = new TunnelUnderTest(options => options.HostnameDebounce = TimeSpan.FromMilliseconds(300), time: time);
        await under.OpenAsync(_relay, "web.home.test");

        for (var n = 1; n <= 20; n++)
            under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, ["web.home.test", .. Enumerable.Range(1, n).Select(i => $"app{i}.home.test")]));
        var soon = TimeSpan.FromSeconds(1);
        var fresh = await time.RunAsync(_relay.AcceptAsync(), soon);
        await time.RunAsync(under.UntilAsync(status => status.Hostnames.Count == 21 && status.Sessions == 1), soon);

        Assert.That(RelayTunnelHandshakeTests.Claims(fresh.HandshakeToken)["hostnames"]!.AsArray(), Has.Count.EqualTo(21));
        await TunnelUnderTest.AssertDialsNoMoreAsync(_relay, time);
    }

    [Test]
    public async Task NewNames_TheOldSessionsDeadline_CutsWhatStillRuns()
    {
        await using var under = new TunnelUnderTest(options => options.ReplacedSessionDrain = TimeSpan.FromMilliseconds(200));
        var old = await under.OpenAsync(_relay, "web.home.test");
        await old.ConnectAsync(A, "web.home.test");
        await using var stream = await under.AcceptAsync();

        await under.OpenAsync(_relay, "web.home.test", "new.home.test");
        await TunnelUnderTest.ClosedAsync(stream);
        await old.Ended;

        Assert.That(old.Goodbye, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
    }

    [Test]
    public async Task NewNames_WhileEveryReplacedSessionHasAStream_WaitForOneToEmpty()
    {
        await using var under = new TunnelUnderTest();
        List<RelayPeer> replaced = [];
        List<ITunnelStream> streams = [];
        for (var n = 0; n < 4; n++)
        {
            replaced.Add(await under.OpenAsync(_relay, "web.home.test", $"app{n}.home.test"));
            await replaced[n].ConnectAsync(A, "web.home.test");
            streams.Add(await under.AcceptAsync());
        }
        var serving = await under.OpenAsync(_relay, "web.home.test", "app4.home.test");

        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test", "app5.home.test"));
        await serving.ConnectAsync(A, "web.home.test");
        await using var stillServed = await under.AcceptAsync();
        var waits = !_relay.HasWaiting;
        await streams[2].DisposeAsync();
        await _relay.AcceptAsync();
        await replaced[2].Ended;
        await under.UntilAsync(status => status.Hostnames.Contains("app5.home.test") && status.Sessions == 5);

        Assert.That(waits, Is.True, "a session was opened although one with a stream would have had to go");
        Assert.That(streams.Where((_, n) => n != 2).Append(stillServed).Select(stream => stream.Closed.IsCancellationRequested), Is.All.False);
        foreach (var stream in streams) await stream.DisposeAsync();
    }

    [Test]
    public async Task NewNames_WhenNoReplacedSessionEmpties_CostTheOneWithTheFewestStreams()
    {
        await using var under = new TunnelUnderTest(options => options.HostnameDebounceMax = TimeSpan.FromMilliseconds(300));
        List<List<ITunnelStream>> streams = [];
        for (var n = 0; n < 6; n++)
        {
            var peer = await under.OpenAsync(_relay, "web.home.test", $"app{n}.home.test");
            streams.Add([]);
            foreach (var id in n == 3 ? [A] : new[] { A, B })
            {
                await peer.ConnectAsync(id, "web.home.test");
                streams[n].Add(await under.AcceptAsync());
            }
        }

        await TunnelUnderTest.ClosedAsync(streams[3][0]);

        Assert.That(streams.Where((_, n) => n != 3).SelectMany(of => of).Select(stream => stream.Closed.IsCancellationRequested), Is.All.False);
        foreach (var stream in streams.SelectMany(of => of)) await stream.DisposeAsync();
    }

    [Test]
    public async Task NewNames_WhoseSessionWeighsLess_EndTheHeavyOneAtItsFirstEmptyMoment()
    {
        await using var under = new TunnelUnderTest(options => options.ReplacedSessionQuiet = TimeSpan.FromHours(1));
        RelayPeer heavy = await under.OpenAsync(_relay, "web.home.test", "app0.home.test"), light = heavy;
        for (var n = 1; Weight(light) >= Weight(heavy); n++)
        {
            heavy = light;
            light = await under.OpenAsync(_relay, "web.home.test", $"app{n}.home.test");
        }
        await heavy.Ended;

        Assert.That((Weight(heavy), Weight(light)), Is.EqualTo((1 << 20, 1)));
        Assert.That((light.Goodbye, under.Tunnel.Status.State), Is.EqualTo((default(WebSocketCloseStatus?), TunnelState.Online)));
    }
}
