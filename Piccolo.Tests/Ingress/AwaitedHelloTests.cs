using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Core.Tls;

namespace Piccolo.Tests.Ingress;

/// <summary>Clients that have not said a whole hello yet: who is served when it is there, and who is turned away.</summary>
internal sealed class AwaitedHelloTests : PeekFixture
{
    private static readonly IPEndPoint Stranger = new(IPAddress.Parse("198.51.100.7"), 40_000);

    private readonly List<IDisposable> _ended = [];
    private SocketLoops _loops = null!;
    private ConnectionsPerAddress _connections = null!;
    private AwaitedHellos _hellos = null!;
    private MeterListener _listener = null!;
    private Channel<(Arrival Arrival, SocketLoop? On)> _served = null!;
    private Channel<string> _refused = null!;
    private Socket _client = null!;
    private AcceptedClient _own = null!;

    [SetUp]
    public async Task SetUp()
    {
        _loops = new SocketLoops(NullLogger<SocketLoops>.Instance, 1);
        _connections = new ConnectionsPerAddress(Options.Create(Limits));
        _served = Channel.CreateUnbounded<(Arrival, SocketLoop?)>();
        _refused = Channel.CreateUnbounded<string>();
        _hellos = NewHellos(Time);
        _listener = new MeterListener { InstrumentPublished = (i, l) => { if (i.Meter.Scope == Meters && i.Name == "piccolo.ingress.refused") l.EnableMeasurementEvents(i); } };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => _refused.Writer.TryWrite((string)tags[0].Value!));
        _listener.Start();
        (_client, _own) = await PairAsync();
    }

    [TearDown]
    public void TearDown()
    {
        _listener.Dispose();
        _hellos.Dispose();
        _loops.Dispose();
        _ended.ForEach(e => e.Dispose());
        _ended.Clear();
    }

    [Test]
    public async Task Look_AtAWholeHello_ServesAtOnce()
    {
        await _client.SendAsync(HelloBytes.Example);
        await LookAsync(_own);

        var (arrival, _) = await ServedAsync();
        Assert.That((arrival.Hello?.ServerName, arrival.AwaitedSince), Is.EqualTo(("app.example.test", default(long?))));
    }

    [Test]
    public async Task Look_AtWhatIsNoHello_IsToldByItsFirstByte()
    {
        await _client.SendAsync("G"u8.ToArray());
        await LookAsync(_own);

        Assert.That(await RefusedAsync(), Is.EqualTo("NotTls"));
        Assert.That(await _client.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Is.Zero, "a regular end");
    }

    [Test]
    public async Task Hello_InSingleBytes_IsServedWithEveryByteStillInTheKernel()
    {
        await LookAsync(_own);
        foreach (var octet in HelloBytes.Example) await _client.SendAsync(new[] { octet });

        var (arrival, on) = await ServedAsync();
        using var socket = arrival.Client.ToSocket();
        Assert.That((arrival.Hello?.Failure, arrival.Hello?.ServerName), Is.EqualTo((PeekFailure.None, "app.example.test")));
        Assert.That(socket.Available, Is.EqualTo(HelloBytes.Example.Length));
        Assert.That(LowWaterOf(socket), Is.EqualTo(1), "the next who waits is told of each byte again");
        Assert.That(on, Is.SameAs(_loops.All[0]), "it goes on on the loop's thread");
    }

    [TestCase(1)]
    [TestCase(5)]
    [TestCase(9)]
    [TestCase(516)]
    public async Task Hello_InTwoPieces_IsServed(int first)
    {
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, first));
        await LookAsync(_own);
        Assert.That(_served.Reader.TryPeek(out _), Is.False);

        await _client.SendAsync(HelloBytes.Example.AsMemory(first));

        Assert.That((await ServedAsync()).Arrival.Hello?.ServerName, Is.EqualTo("app.example.test"));
    }

    [Test]
    public async Task Hello_WithTheEndRightBehindIt_IsServed()
    {
        await LookAsync(_own);
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, 100));
        await _client.SendAsync(HelloBytes.Example.AsMemory(100));
        _client.Shutdown(SocketShutdown.Send);

        Assert.That((await ServedAsync()).Arrival.Hello?.ServerName, Is.EqualTo("app.example.test"));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(100)]
    public async Task Client_ThatLeaves_IsClosedAtOnce(int sent)
    {
        if (sent > 0) await _client.SendAsync(HelloBytes.Example.AsMemory(0, sent));
        await LookAsync(_own);
        _client.Shutdown(SocketShutdown.Send);

        Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));
    }

    [TestCase(0)]
    [TestCase(100)]
    public async Task Client_ThatLeftBefore_IsClosed(int sent)
    {
        if (sent > 0) await _client.SendAsync(HelloBytes.Example.AsMemory(0, sent));
        _client.Shutdown(SocketShutdown.Send);
        await LookAsync(_own);

        Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));
    }

    [Test]
    public async Task Client_ThatBreaksOff_IsClosed([Values] bool before)
    {
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, 100));
        if (!before) await LookAsync(_own);
        _client.Break();
        if (before) await LookAsync(_own);

        Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));
    }

    [Test]
    public async Task Client_ThatIsSilent_IsGivenTenSeconds()
    {
        await LookAsync(_own);

        await AdvanceAsync(TimeSpan.FromSeconds(9.9));
        Assert.That(_refused.Reader.TryPeek(out _), Is.False);
        await AdvanceAsync(TimeSpan.FromSeconds(0.5));

        Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
        Assert.That(await _client.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Is.Zero, "a regular end");
    }

    [Test]
    public async Task Clients_ThatAreSilent_AreAllGivenTenSecondsThoughSomeLeaveBefore()
    {
        // More than a loop looks at in a row.
        const int Count = 200;
        var pairs = new List<(Socket Client, AcceptedClient Own)>();
        for (var i = 0; i < Count; i++) pairs.Add(await PairAsync());
        foreach (var pair in pairs) await LookAsync(pair.Own);
        var leaving = pairs.Where((_, i) => i % 3 == 0).ToArray();
        foreach (var (client, _) in leaving) client.Close();
        foreach (var _ in leaving) Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));

        await AdvanceAsync(TimeSpan.FromSeconds(9.9));
        Assert.That(_refused.Reader.TryPeek(out _), Is.False);
        await AdvanceAsync(TimeSpan.FromSeconds(0.5));

        for (var i = leaving.Length; i < Count; i++) Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
    }

    [Test]
    public async Task Client_ThatPauses_IsGivenTheIdleTimeSinceItsLastByteAndNoMore()
    {
        // The kernel keeps this one, so it is real time; the other two limits cannot come first.
        Limits.PeekIdleTimeout = TimeSpan.FromMilliseconds(400);
        _hellos.Dispose();
        _hellos = NewHellos(TimeProvider.System);
        await LookAsync(_own);
        // That each byte gives it the time anew is shown by the one that drips.
        var last = TimeProvider.System.GetTimestamp();
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, 1));

        Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
        Assert.That(TimeProvider.System.GetElapsedTime(last), Is.GreaterThan(TimeSpan.FromMilliseconds(380)).And.LessThan(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public async Task Client_ThatDrips_IsGivenTwentySecondsInAll()
    {
        await LookAsync(_own);
        var sent = 0;
        for (; sent < 20; sent++)
        {
            Assert.That(_refused.Reader.TryPeek(out var early), Is.False, early);
            await _client.SendAsync(HelloBytes.Example.AsMemory(sent, 1));
            await AdvanceAsync(TimeSpan.FromSeconds(1));
        }
        await AdvanceAsync(TimeSpan.FromSeconds(0.5));

        Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
    }

    [Test]
    public async Task Stop_WaitsForNobody()
    {
        var (other, otherOwn) = await PairAsync();
        await LookAsync(_own);
        await LookAsync(otherOwn);

        await OnLoopAsync(_hellos.Stop);

        Assert.That((await RefusedAsync(), await RefusedAsync()), Is.EqualTo(("Closed", "Closed")));
        foreach (var client in new[] { _client, other }) Assert.That(await client.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Is.Zero);
    }

    [Test]
    public async Task Hello_ThatDoesNotFitInOneLook_IsServedToBeRead([Values] bool awaited)
    {
        var large = HelloBytes.Records(HelloBytes.Message(HelloBytes.Extension(0, HelloBytes.ServerNames((0, "big.home.test"u8.ToArray()))), HelloBytes.Extension(0xFFFF, new byte[40_000])));
        if (awaited) await LookAsync(_own);
        await _client.SendAsync(large.AsMemory(0, 20));
        if (!awaited) await LookAsync(_own);

        var (arrival, _) = await ServedAsync();
        using var socket = arrival.Client.ToSocket();
        Assert.That((arrival.Hello, arrival.AwaitedSince is not null), Is.EqualTo((default(PeekedHello?), awaited)));
        Assert.That(LowWaterOf(socket), Is.EqualTo(1));
    }

    [Test]
    public async Task Clients_MoreThanMayWait_AreTurnedAwayAndPlacesGivenBack()
    {
        Limits.MaxWaitingPeeks = 1;
        var (_, own) = await PairAsync();
        var (third, thirdOwn) = await PairAsync();
        await LookAsync(_own);

        await LookAsync(own);
        Assert.That(await RefusedAsync(), Is.EqualTo("Busy"));
        await _client.SendAsync(HelloBytes.Example);
        _ = await ServedAsync();

        await LookAsync(thirdOwn);
        await third.SendAsync(HelloBytes.Example);
        Assert.That((await ServedAsync()).Arrival.Hello?.Failure, Is.EqualTo(PeekFailure.None), "the place was given back");
    }

    [Test]
    public async Task Clients_MoreThanConnectionsMayBeOpen_AreTurnedAwayUntilOneLeaves()
    {
        Limits.MaxConnections = 1;
        await LookAsync(_own);

        var (other, otherOwn) = await PairAsync();
        await LookAsync(otherOwn);
        Assert.That(await RefusedAsync(), Is.EqualTo("total_limit"));
        Assert.That(async () => await other.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Throws.InstanceOf<SocketException>(), "a break");
        _client.Close();
        Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));

        Assert.That(Metrics.TryBeginConnection(1), Is.True, "the place was given back");
    }

    [Test]
    public async Task Clients_OfOneAddress_CountAsItsConnections()
    {
        Limits.MaxConnectionsPerAddress = 1;
        var (first, firstOwn) = await PairAsync(Stranger);
        var (second, secondOwn) = await PairAsync(Stranger);
        var (_, otherOwn) = await PairAsync(new IPEndPoint(IPAddress.Parse("198.51.100.8"), 1));
        await LookAsync(firstOwn);

        await LookAsync(secondOwn);
        Assert.That(await RefusedAsync(), Is.EqualTo("address_limit"));
        Assert.That(async () => await second.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Throws.InstanceOf<SocketException>(), "a break");
        await LookAsync(otherOwn);
        Assert.That(_connections.Clients, Is.EqualTo(2));
        await first.SendAsync(HelloBytes.Example);
        _ = await ServedAsync();

        Assert.That(_connections.Clients, Is.EqualTo(1), "who is served is counted by its connection");
    }

    [Test]
    public async Task Proxy_ThatIsTrusted_IsNotLookedAt()
    {
        Limits.ProxyProtocol.TrustedSources.Add("198.51.100.0/24");
        _hellos.Dispose();
        _hellos = NewHellos(Time);
        var (proxy, own) = await PairAsync(Stranger);
        await proxy.SendAsync("\r\n\r\n"u8.ToArray());

        await LookAsync(own);

        Assert.That((await ServedAsync()).Arrival, Is.EqualTo(new Arrival(own)));
    }

    [Test]
    public async Task Bytes_ThatComeOneByOne_WakeTheLoopForTheLastOnly()
    {
        var loop = _loops.All[0];
        var (watcher, fenceWatcher) = (new Watcher(), new Watcher());
        ReceiveQueue.TellFrom(_own, 100);
        loop.Add(_own, watcher);
        for (var sent = 0; sent < 99; sent++) await _client.SendAsync(new byte[1]);

        // Another socket of the same loop, whose byte comes later and is told: so is everything before it.
        var (fence, ownFence) = await PairAsync();
        loop.Add(ownFence, fenceWatcher);
        await fence.SendAsync(new byte[1]);
        await fenceWatcher.Called.WaitAsync(FrontDoor.Patience);
        Assert.That(watcher.Called.IsCompleted, Is.False);

        await _client.SendAsync(new byte[1]);
        await watcher.Called.WaitAsync(FrontDoor.Patience);
        using var socket = _own.ToSocket();
        Assert.That(socket.Available, Is.EqualTo(100));
    }

    private static int LowWaterOf(Socket socket) => (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater)!;

    private AwaitedHellos NewHellos(TimeProvider time) =>
        new(_loops.All[0], NewAdmission(_connections), time, arrival => _served.Writer.TryWrite((arrival, SocketLoop.Current)));

    /// <param name="remote">Who it is said to be; null: who it is.</param>
    private async Task<(Socket Client, AcceptedClient Own)> PairAsync(IPEndPoint? remote = null)
    {
        var (client, socket) = await SocketSpliceTests.PairAsync();
        var from = remote ?? (IPEndPoint)socket.RemoteEndPoint!;
        var descriptor = socket.SafeHandle.DangerousGetHandle();
        socket.SafeHandle.SetHandleAsInvalid();
        var own = new AcceptedClient(descriptor, from);
        _ended.AddRange([client, own]);
        return (client, own);
    }

    /// <summary>As when it has just been accepted. Over when the look is.</summary>
    private Task LookAsync(AcceptedClient own) => OnLoopAsync(() =>
    {
        if (_hellos.TryLook(own, out var arrival)) _served.Writer.TryWrite((arrival, SocketLoop.Current));
    });

    /// <summary>Over when all whose time has come were looked at.</summary>
    private async Task AdvanceAsync(TimeSpan by)
    {
        Time.Advance(by);
        // What the timer has posted comes before this.
        await OnLoopAsync(() => { });
    }

    private Task OnLoopAsync(Action action)
    {
        var call = new Call(action);
        _loops.All[0].Post(call);
        return call.Done.WaitAsync(FrontDoor.Patience);
    }

    private Task<(Arrival Arrival, SocketLoop? On)> ServedAsync() => _served.Reader.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);

    private Task<string> RefusedAsync() => _refused.Reader.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);

    private sealed class Call(Action action) : ISocketWatcher
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Done => _done.Task;

        public bool OnReady(SocketReadiness readiness)
        {
            action();
            _done.TrySetResult();
            return false;
        }
    }

    private sealed class Watcher : ISocketWatcher
    {
        private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Called => _called.Task;

        public bool OnReady(SocketReadiness readiness)
        {
            _called.TrySetResult();
            return false;
        }
    }
}
