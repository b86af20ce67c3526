using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Piccolo.Api.Ingress;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Core.Tls;

namespace Piccolo.Tests.Ingress;

/// <summary>The peek at a socket of which nothing is read.</summary>
internal sealed class SocketPeekTests : PeekFixture
{
    private Pipe _pipe = null!;
    private Socket _client = null!;
    private Socket _own = null!;

    [SetUp]
    public async Task SetUp()
    {
        _pipe = new Pipe();
        (_client, _own) = await SocketSpliceTests.PairAsync();
    }

    [TearDown]
    public void TearDown()
    {
        _client.Dispose();
        _own.Dispose();
    }

    [Test]
    public async Task Read_HelloInSingleBytes_FindsTheNameAndLeavesEveryByteInTheKernel()
    {
        var peeking = Peek();
        foreach (var octet in HelloBytes.Example) await _client.SendAsync(new[] { octet });

        var hello = await peeking.WaitAsync(FrontDoor.Patience);

        Assert.That((hello.Failure, hello.ServerName), Is.EqualTo((PeekFailure.None, "app.example.test")));
        Assert.That(_own.Available, Is.EqualTo(HelloBytes.Example.Length));
        Assert.That(_own.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater), Is.EqualTo(1), "the next who waits is told of each byte again");
    }

    [TestCase(1)]
    [TestCase(5)]
    [TestCase(9)]
    [TestCase(516)]
    public async Task Read_HelloInTwoPieces_IsFound(int first)
    {
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, first));
        var peeking = Peek();
        Assert.That(peeking.IsCompleted, Is.False);

        await _client.SendAsync(HelloBytes.Example.AsMemory(first));

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).ServerName, Is.EqualTo("app.example.test"));
    }

    [Test]
    public async Task Read_HelloWithTheEndRightBehindIt_IsFound()
    {
        var peeking = Peek();
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, 100));
        await _client.SendAsync(HelloBytes.Example.AsMemory(100));
        _client.Shutdown(SocketShutdown.Send);

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).ServerName, Is.EqualTo("app.example.test"));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(100)]
    public async Task Read_ClientThatLeaves_IsClosedAtOnce(int sent)
    {
        if (sent > 0) await _client.SendAsync(HelloBytes.Example.AsMemory(0, sent));
        var peeking = Peek();
        _client.Shutdown(SocketShutdown.Send);

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Closed));
    }

    [Test]
    public async Task Read_ClientThatLeftBefore_IsClosed()
    {
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, 100));
        _client.Shutdown(SocketShutdown.Send);

        Assert.That((await Peek().WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Closed));
    }

    [Test]
    public async Task Read_ConnectionIsReset_IsClosed()
    {
        var peeking = Peek();
        await _client.SendAsync(HelloBytes.Example.AsMemory(0, 100));
        _client.LingerState = new LingerOption(true, 0);
        _client.Close();

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Closed));
    }

    [Test]
    public async Task Read_WhatIsNoHello_IsToldByItsFirstByte()
    {
        var peeking = Peek();
        await _client.SendAsync("G"u8.ToArray());

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.NotTls));
    }

    [Test]
    public async Task Read_SilentClient_IsGivenTenSeconds()
    {
        var peeking = Peek();

        Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.That(peeking.IsCompleted, Is.False);
        Time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Timeout));
    }

    [Test]
    public async Task Read_ManySilentClients_AreAllGivenTenSecondsThoughSomeLeaveBefore()
    {
        // More than a loop looks at in a row.
        const int Count = 200;
        var pairs = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => SocketSpliceTests.PairAsync()));
        var peeking = pairs.Select(p => Peek(socket: p.Item2)).ToArray();
        var leaving = Enumerable.Range(0, Count).Where(i => i % 3 == 0).ToArray();
        foreach (var i in leaving) pairs[i].Item1.Close();
        foreach (var i in leaving) Assert.That((await peeking[i].WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Closed));

        Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.That(peeking.Count(p => p.IsCompleted), Is.EqualTo(leaving.Length));
        Time.Advance(TimeSpan.FromSeconds(0.2));

        var hellos = await Task.WhenAll(peeking).WaitAsync(FrontDoor.Patience);
        Assert.That(hellos.Count(h => h.Failure == PeekFailure.Timeout), Is.EqualTo(Count - leaving.Length));
        foreach (var (client, own) in pairs)
        {
            client.Dispose();
            own.Dispose();
        }
    }

    [Test]
    public async Task Read_WhoWasAwaited_GoesOnOnTheLoopsThread()
    {
        // As in the server: without the context of a test, to which every await would go back.
        var peeking = await Task.Factory.StartNew(() => Peek(), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
        var after = peeking.ContinueWith(_ => SocketLoop.Current, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        await _client.SendAsync(HelloBytes.Example);

        Assert.That(await after.WaitAsync(FrontDoor.Patience), Is.Not.Null);
    }

    [Test]
    public async Task Read_ClientThatPauses_IsGivenTheIdleTimeSinceItsLastByteAndNoMore()
    {
        // The kernel keeps this one, so it is real time; the other two limits cannot come first.
        Limits.PeekIdleTimeout = TimeSpan.FromMilliseconds(400);
        var began = TimeProvider.System.GetTimestamp();
        var peeking = Peek(TimeProvider.System);
        for (var sent = 0; sent < 3; sent++)
        {
            await _client.SendAsync(HelloBytes.Example.AsMemory(sent, 1));
            await Task.WhenAny(peeking, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System));
            began = sent < 2 && !peeking.IsCompleted ? TimeProvider.System.GetTimestamp() : began;
        }

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Timeout));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.GreaterThan(TimeSpan.FromMilliseconds(380)).And.LessThan(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public async Task Read_ClientThatDrips_IsGivenTwentySecondsInAll()
    {
        var peeking = Peek();
        var sent = 0;
        // Each step of the clock is taken in by another thread: a step that comes too soon for it is only seen with the next.
        while (!peeking.IsCompleted && sent < HelloBytes.Example.Length - 1)
        {
            await _client.SendAsync(HelloBytes.Example.AsMemory(sent++, 1));
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(peeking, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Timeout));
        Assert.That(sent, Is.GreaterThanOrEqualTo(20));
    }

    [Test]
    public async Task Read_ServerThatStops_WaitsForNobody()
    {
        using var closing = new CancellationTokenSource();
        var peeking = Peek(closing: closing.Token);

        await closing.CancelAsync();

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Closed));
    }

    [Test]
    public async Task Read_HelloThatDoesNotFitInOneLook_ComesThroughThePipe()
    {
        var large = HelloBytes.Records(HelloBytes.Message(HelloBytes.Extension(0, HelloBytes.ServerNames((0, "big.home.test"u8.ToArray()))), HelloBytes.Extension(0xFFFF, new byte[40_000])));
        await _client.SendAsync(large.AsMemory(0, 20));
        var peeking = Peek();
        await _pipe.Writer.WriteAsync(large);

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).ServerName, Is.EqualTo("big.home.test"));
        Assert.That(_own.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater), Is.EqualTo(1));
    }

    [Test]
    public async Task Read_MoreThanTheLimitOfWaitingPeeks_RefusesTheRestAndGivesPlacesBack()
    {
        Limits.MaxWaitingPeeks = 1;
        var first = Peek();
        var (otherClient, other) = await SocketSpliceTests.PairAsync();
        using var atTheEnd = otherClient;
        using var atTheEndToo = other;

        Assert.That((await Peek(socket: other)).Failure, Is.EqualTo(PeekFailure.Busy));
        await _client.SendAsync(HelloBytes.Example);
        Assert.That((await first.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.None));
        var again = Peek(socket: other);
        await otherClient.SendAsync(HelloBytes.Example);
        Assert.That((await again.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.None), "the place was given back");
    }

    [Test]
    public async Task Bytes_ThatComeOneByOne_WakeTheLoopForTheLastOnly()
    {
        var loop = Loops.Next();
        var (watcher, fenceWatcher) = (new Watcher(), new Watcher());
        ReceiveQueue.TellFrom(_own, 100);
        loop.Add(_own, watcher);
        for (var sent = 0; sent < 99; sent++) await _client.SendAsync(new byte[1]);

        // Another socket of the same loop, whose byte comes later and is told: so is everything before it.
        var (fence, ownFence) = await SocketSpliceTests.PairAsync();
        using var atTheEnd = fence;
        using var atTheEndToo = ownFence;
        loop.Add(ownFence, fenceWatcher);
        await fence.SendAsync(new byte[1]);
        await fenceWatcher.Called.WaitAsync(FrontDoor.Patience);
        Assert.That(watcher.Called.IsCompleted, Is.False);

        await _client.SendAsync(new byte[1]);
        await watcher.Called.WaitAsync(FrontDoor.Patience);
        Assert.That(_own.Available, Is.EqualTo(100));
    }

    private Task<PeekedHello> Peek(TimeProvider? time = null, Socket? socket = null, CancellationToken closing = default)
    {
        var connection = new DefaultConnectionContext("peeked", new Duplex(_pipe), new Duplex(_pipe));
        return NewPeek(time).ReadAsync(socket ?? _own, connection, closing).AsTask();
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

    private sealed class Duplex(Pipe pipe) : IDuplexPipe
    {
        public PipeReader Input => pipe.Reader;

        public PipeWriter Output => pipe.Writer;
    }
}
