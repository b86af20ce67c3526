using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Transports;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using Piccolo.Tests.Ingress.Tls;

namespace Piccolo.Tests.Ingress.Transports;

/// <summary>A connection on a loop: its writer, its end, its break, and its turn among others.</summary>
internal sealed class LoopConnectionTests : LoopConnectionFixture
{
    private PipeWriter Output => _connection.Transport.Output;

    [Test]
    public async Task End_OfThePeer_CompletesTheReadAndIsToldToRequests()
    {
        _peer.Shutdown(SocketShutdown.Send);

        Assert.That((await Input.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience)).IsCompleted, Is.True);
        Assert.That(_connection.IsBroken, Is.False);
        await _connection.ConnectionClosed.FiredAsync().WaitAsync(FrontDoor.Patience);
    }

    [Test]
    public async Task Break_ByThePeer_IsToldToRequestsThoughNobodyReadsAnyMore()
    {
        Assert.That(Input.TryRead(out _), Is.False);
        _peer.Break();

        await _connection.ConnectionClosed.FiredAsync().WaitAsync(FrontDoor.Patience);
        Assert.That((await Input.ReadAsync()).IsCompleted, Is.True);
        Assert.That(_connection.IsBroken, Is.True);
    }

    [Test]
    public async Task Write_AfterABreak_IsOverAndNoError()
    {
        Assert.That(Input.TryRead(out _), Is.False);
        _peer.Break();
        await _connection.ConnectionClosed.FiredAsync().WaitAsync(FrontDoor.Patience);

        Assert.That((await Output.WriteAsync("x"u8.ToArray())).IsCompleted, Is.True);
        Assert.That((await Output.FlushAsync()).IsCompleted, Is.True);
    }

    [Test]
    public async Task New_Connection_ResumesOnThePool()
    {
        var (peer, own) = await SocketSpliceTests.PairAsync();
        using var _ = peer;
        await using var connection = new LoopConnection("new", own, _loop, _memory);

        Assert.That(connection.ResumesOnLoop, Is.False);
        Assert.That(new LoopSocket(own, _loop).ResumeOnThreadPool, Is.True);
    }

    [Test]
    public async Task Wake_BetweenTwoReadsOnTheLoopsThread_IsHonouredOnce()
    {
        var (peer, own) = await SocketSpliceTests.PairAsync();
        using var other = peer;
        using var socket = new LoopSocket(own, _loop) { ResumeOnThreadPool = false };
        var second = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        async Task ReadAsync()
        {
            while (socket.TryReceive(new byte[1]) >= 0 || SocketLoop.Current is null) await socket.UntilReadableAsync();
            // Here the loop is busy with this very call, so that it cannot clear the wake itself.
            socket.WakeReader();
            var first = socket.UntilReadableAsync().AsTask();
            if (!first.IsCompleted) second.TrySetException(new InvalidOperationException("The wake was lost."));
            await first;
            second.TrySetResult(socket.UntilReadableAsync().AsTask().IsCompleted);
        }
        _ = Task.Run(ReadAsync);
        using var patience = new CancellationTokenSource(FrontDoor.Patience);
        while (!second.Task.IsCompleted)
        {
            await peer.SendAsync("x"u8.ToArray(), patience.Token);
            await Task.WhenAny(second.Task, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token));
        }

        Assert.That(await second.Task, Is.False, "who found nothing waits, and leaves the thread to the loop");
    }

    [Test]
    public async Task CancelPendingFlush_WithNonePending_IsOfTheNextFlushAndNoOther()
    {
        Output.CancelPendingFlush();
        Assert.That((await Output.WriteAsync("x"u8.ToArray())).IsCanceled, Is.True);
        var slow = Output.WriteAsync(new byte[8_000_000]).AsTask();

        var reading = TlsTerminationTests.ReadToEndAsync(_peer);
        Assert.That((await slow.WaitAsync(FrontDoor.Patience)).IsCanceled, Is.False);
        await _connection.DisposeAsync();
        Assert.That(await reading.WaitAsync(FrontDoor.Patience), Has.Length.EqualTo(8_000_001));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Write_ToASlowPeer_WaitsAndArrivesWhole(bool fromTheCallersMemory)
    {
        var sent = SocketSpliceTests.RandomBytes(8_000_003, seed: 4);
        async Task WriteAsync()
        {
            if (fromTheCallersMemory) await Output.WriteAsync(sent);
            else
            {
                Output.Write(sent);
                await Output.FlushAsync();
            }
            await _connection.DisposeAsync();
        }
        var writing = WriteAsync();
        Assert.That(writing.IsCompleted, Is.False, "So much the kernel cannot take.");

        Assert.That(await TlsTerminationTests.ReadToEndAsync(_peer).WaitAsync(FrontDoor.Patience), Is.EqualTo(sent));
        await writing;
    }

    [Test]
    public async Task CancelPendingFlush_OfAWriteToASlowPeer_LosesNothing()
    {
        var sent = SocketSpliceTests.RandomBytes(8_000_003, seed: 5);
        var writing = Output.WriteAsync(sent).AsTask();
        Output.CancelPendingFlush();
        Assert.That((await writing.WaitAsync(FrontDoor.Patience)).IsCanceled, Is.True);

        var reading = TlsTerminationTests.ReadToEndAsync(_peer);
        await Output.FlushAsync().AsTask().WaitAsync(FrontDoor.Patience);
        await _connection.DisposeAsync();

        Assert.That(await reading.WaitAsync(FrontDoor.Patience), Is.EqualTo(sent));
    }

    [Test]
    public async Task Abort_EndsWhoReadsAndWhoWritesAndIsABreakForThePeer()
    {
        var reading = Input.ReadAsync().AsTask();
        var writing = Output.WriteAsync(new byte[8_000_000]).AsTask();
        Assert.That((reading.IsCompleted, writing.IsCompleted), Is.EqualTo((false, false)));

        _connection.Abort(new ConnectionAbortedException("A test."));

        Assert.That((await reading.WaitAsync(FrontDoor.Patience)).IsCompleted, Is.True);
        Assert.That(_connection.IsBroken, Is.True, "by us, but nobody may take it for a regular end");
        Assert.That((await writing.WaitAsync(FrontDoor.Patience)).IsCompleted, Is.True);
        Assert.That(async () => await TlsTerminationTests.ReadToEndAsync(_peer), Throws.InstanceOf<SocketException>());
        await _connection.ConnectionClosed.FiredAsync().WaitAsync(FrontDoor.Patience);
    }

    [Test]
    public async Task Talker_WhoNeverPauses_LeavesOthersTheirTurn()
    {
        var (otherPeer, otherOwn) = await SocketSpliceTests.PairAsync();
        using var _ = otherPeer;
        await using var other = Arrived(otherOwn);
        var enough = new TaskCompletionSource();
        // Reads on the loop's thread as long as there is something, and there always is.
        async Task DevourAsync()
        {
            while (!enough.Task.IsCompleted)
            {
                var read = await Input.ReadAsync();
                Input.AdvanceTo(read.Buffer.End);
            }
        }
        var talking = Task.Run(async () =>
        {
            var much = new byte[256 * 1024];
            try
            {
                while (!enough.Task.IsCompleted) await _peer.SendAsync(much);
            }
            catch (SocketException)
            {
                // Nobody takes it any more.
            }
        });
        var devouring = Task.Run(DevourAsync);

        for (var i = 0; i < 100; i++)
        {
            await otherPeer.SendAsync("x"u8.ToArray());
            var read = await other.Transport.Input.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);
            other.Transport.Input.AdvanceTo(read.Buffer.End);
        }
        enough.SetResult();
        // Ends the read that may wait for a talker who has seen this first.
        _connection.Abort(new ConnectionAbortedException("A test."));
        await devouring.WaitAsync(FrontDoor.Patience);
        await talking.WaitAsync(FrontDoor.Patience);
    }

    [Test]
    public async Task Dispose_IsARegularEndAndDisposesOfTheLease()
    {
        var (peer, own) = await SocketSpliceTests.PairAsync();
        using var _ = peer;
        using var lease = new CancellationTokenSource();
        var connection = new LoopConnection("leased", own, _loop, _memory, lease);

        await connection.DisposeAsync();

        Assert.That(await TlsTerminationTests.ReadToEndAsync(peer), Is.Empty);
        Assert.That(lease.Cancel, Throws.InstanceOf<ObjectDisposedException>());
    }
}
