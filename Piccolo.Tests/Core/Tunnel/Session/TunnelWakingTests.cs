using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

/// <summary>What makes the tunnel look again before its time.</summary>
[Category("Nexus")]
internal sealed class TunnelWakingTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private ScriptedRelay _relay = null!;

    [SetUp]
    public async Task StartAsync() => _relay = await ScriptedRelay.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _relay.DisposeAsync();

    [Test]
    public async Task Wake_WhileWaiting_TriesAtOnceAndStartsTheBackoffAnew()
    {
        await _relay.DisposeAsync();
        await using var under = Patient();
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test"));
        await under.UntilAsync(status => status is { State: TunnelState.Waiting, Until: not null });
        _relay = await ScriptedRelay.StartAsync(port: _relay.Endpoint.Port);

        under.Tunnel.Wake("test");
        await _relay.AcceptAsync();

        Assert.That((await under.UntilAsync(status => status.State == TunnelState.Online)).Until, Is.Null);
    }

    [Test]
    public async Task Wake_AfterARefusal_TriesAtOnce()
    {
        await using var under = Patient();
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test"));
        var refusing = await _relay.NextAsync();
        await refusing.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.PolicyViolation, "token signature is invalid");
        await under.UntilAsync(status => status.State == TunnelState.Refused);

        under.Tunnel.Wake("test");
        await _relay.AcceptAsync();

        await under.UntilAsync(status => status.State == TunnelState.Online);
    }

    [Test]
    public async Task Wake_WhileDiallingIntoNowhere_DialsAnew()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var under = Patient();
        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri($"ws://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}"), "web.home.test"));
        using var first = await silent.AcceptSocketAsync().WaitAsync(ScriptedRelay.Patience);

        under.Tunnel.Wake("test");

        using var second = await silent.AcceptSocketAsync().WaitAsync(ScriptedRelay.Patience);
    }

    [Test]
    public async Task Wake_WithASessionThatIsDead_EndsItAndOpensAnother()
    {
        await using var under = new TunnelUnderTest(options =>
        {
            options.WakePatience = TimeSpan.FromMilliseconds(300);
            options.KeepAliveInterval = options.KeepAliveTimeout = TimeSpan.FromSeconds(50);
        });
        var dead = await under.OpenAsync(_relay, "web.home.test");
        await under.UntilAsync(status => status.RoundTrip is not null);
        dead.AnswersProbes = false;

        under.Tunnel.Wake("network");
        await _relay.AcceptAsync();
        var status = await under.UntilAsync(status => status is { State: TunnelState.Online, Reconnects: 1 });

        Assert.That(status.Counts.Losses.Single().Code, Is.EqualTo("silent"));
        Assert.That(status.Counts.ReconnectsByReason["silent"], Is.EqualTo(1));
    }

    [Test]
    public async Task Wake_WithASessionThatLives_ChangesNothing()
    {
        await using var under = new TunnelUnderTest(options => options.WakePatience = TimeSpan.FromSeconds(30));
        var peer = await under.OpenAsync(_relay, "web.home.test");
        await under.UntilAsync(status => status.RoundTrip is not null);
        peer.AnswersProbes = false;

        under.Tunnel.Wake("network");
        await peer.AnswerProbeAsync(await peer.NextAsync(frame => frame.IsControl("outbound_connect")));
        await peer.ConnectAsync("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "web.home.test");
        await using var stream = await under.AcceptAsync();

        Assert.That((under.Tunnel.Status.State, under.Tunnel.Status.Reconnects, _relay.HasWaiting), Is.EqualTo((TunnelState.Online, 0L, false)));
    }

    [Test]
    public async Task Waker_TheNetworkChanged_WakesOnceItIsQuiet()
    {
        var failures = 0;
        await using var under = Patient(() => _ = Interlocked.Increment(ref failures));
        var network = new ScriptedNetwork();
        using var waker = Waker(under, network, TimeProvider.System);
        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri("ws://127.0.0.1:1"), "web.home.test"));
        await under.UntilAsync(status => status is { State: TunnelState.Waiting, Until: not null });
        await waker.StartAsync(CancellationToken.None);
        await network.Watched.WaitAsync(ScriptedRelay.Patience);
        var before = Volatile.Read(ref failures);

        network.Become("192.0.2.7");
        network.Become("");
        network.Become("198.51.100.9");
        await under.UntilAsync(_ => Volatile.Read(ref failures) == 2);

        await waker.StopAsync(CancellationToken.None);
        Assert.That(before, Is.EqualTo(1));
    }

    [TestCase(8)]
    [TestCase(-8)]
    public async Task Waker_TheWallClockParted_Wakes(int hours)
    {
        var time = new ShiftedTime();
        var failures = 0;
        await using var under = Patient(() => _ = Interlocked.Increment(ref failures));
        using var waker = Waker(under, new ScriptedNetwork(), time);
        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri("ws://127.0.0.1:1"), "web.home.test"));
        await under.UntilAsync(status => status is { State: TunnelState.Waiting, Until: not null });
        var before = Volatile.Read(ref failures);
        await waker.StartAsync(CancellationToken.None);

        await time.Armed.WaitAsync(TimeSpan.FromSeconds(60));
        time.Offset = TimeSpan.FromHours(hours);

        await under.UntilAsync(_ => Volatile.Read(ref failures) >= 2);
        await waker.StopAsync(CancellationToken.None);
        Assert.That(before, Is.EqualTo(1));
    }

    [Test]
    public async Task Wait_WhileTheWallClockIsSetBack_IsNotLonger()
    {
        var time = new ShiftedTime();
        await _relay.DisposeAsync();
        await using var under = new TunnelUnderTest(options => options.ReconnectBase = options.ReconnectMax = TimeSpan.FromSeconds(1), () => 0.9, time: time);
        under.Tunnel.SetTarget(TunnelUnderTest.Target(_relay.Endpoint, "web.home.test"));
        await under.UntilAsync(status => status is { State: TunnelState.Waiting, Until: not null });

        time.Offset = -Hour;
        _relay = await ScriptedRelay.StartAsync(port: _relay.Endpoint.Port);

        await _relay.AcceptAsync();
    }

    [Test]
    public void NetworkView_DescribesThisMachine()
    {
        using var watch = new NetworkWatch(TimeProvider.System, NullLogger<NetworkWatch>.Instance);

        var addresses = new NetworkView(watch).Describe()!.Split(' ', StringSplitOptions.RemoveEmptyEntries);

        Assert.That(addresses, Has.All.Matches<string>(text => System.Net.IPAddress.TryParse(text, out _)).And.None.EqualTo("127.0.0.1"));
    }

    /// <summary>A tunnel that would wait half an hour by itself.</summary>
    private static TunnelUnderTest Patient(Action? failed = null, TimeProvider? time = null) => new(
        options =>
        {
            options.ReconnectBase = options.ReconnectMax = Hour;
            options.DialTimeout = TimeSpan.FromMinutes(2);
        },
        () =>
        {
            failed?.Invoke();
            return 0.5;
        },
        time: time);

    private static TunnelWaker Waker(TunnelUnderTest under, INetworkView network, TimeProvider time) => new(
        under.Tunnel, network,
        Options.Create(new TunnelOptions
        {
            ClockCheck = TimeSpan.FromMilliseconds(50),
            ClockTolerance = TimeSpan.FromMinutes(10),
            NetworkDebounce = TimeSpan.FromMilliseconds(50),
        }),
        time, NullLogger<TunnelWaker>.Instance);

    private sealed class ScriptedNetwork : INetworkView
    {
        private readonly TaskCompletionSource _watched = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile string _now = "192.0.2.7";

        public ChangeSignal Changed { get; } = new();

        public Task Watched => _watched.Task;

        public void Become(string description)
        {
            _now = description;
            Changed.Raise();
        }

        public string? Describe()
        {
            var now = _now;
            _watched.TrySetResult();
            return now;
        }
    }
}
