using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Ingress.Transports;

/// <summary>What a connection on a loop gives to its reader.</summary>
internal sealed class LoopConnectionReadTests : LoopConnectionFixture
{
    [TestCase(false)]
    [TestCase(true)]
    public async Task Read_OfWhatComesLater_GoesOnOnTheLoopOrOnThePool(bool onPool)
    {
        if (onPool) _connection.ResumesOnLoop = false;
        var turn = new SemaphoreSlim(0);
        async Task<SocketLoop?> ReadAsync()
        {
            // The first may have come before anybody waited. Who is on the loop stays there.
            for (var i = 0; i < 8; i++)
            {
                turn.Release();
                var read = await Input.ReadAsync();
                Input.AdvanceTo(read.Buffer.End);
            }
            return SocketLoop.Current;
        }
        // Not in the test's own context, which would be gone back to.
        var reading = Task.Run(ReadAsync);
        for (var i = 0; i < 8; i++)
        {
            await turn.WaitAsync(FrontDoor.Patience);
            await _peer.SendAsync("x"u8.ToArray());
        }

        Assert.That(await reading.WaitAsync(FrontDoor.Patience), onPool ? Is.Null : Is.SameAs(_loop));
    }

    [Test]
    public async Task Read_WithoutConsuming_KeepsTheOldAndAddsTheNew()
    {
        var sent = SocketSpliceTests.RandomBytes(BlockLength * 13 + 5, seed: 3);
        await _peer.SendAsync(sent.AsMemory(0, 7));
        var first = await Input.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);
        Assert.That(first.Buffer.ToArray(), Is.EqualTo(sent[..7]));
        Input.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        await _peer.SendAsync(sent.AsMemory(7));

        var all = await Input.ReadAtLeastAsync(sent.Length).AsTask().WaitAsync(FrontDoor.Patience);

        Assert.That(all.Buffer.IsSingleSegment, Is.False);
        Assert.That(all.Buffer.ToArray(), Is.EqualTo(sent));
        Input.AdvanceTo(all.Buffer.GetPosition(sent.Length - 1));
        Assert.That(Input.TryRead(out var last), Is.True);
        Assert.That(last.Buffer.ToArray(), Is.EqualTo(sent[^1..]));
        Input.AdvanceTo(last.Buffer.End);
        Assert.That(Input.TryRead(out _), Is.False);
    }

    [Test]
    public async Task Read_NotExamined_ComesAgainAtOnce()
    {
        await _peer.SendAsync("abc"u8.ToArray());
        var first = await Input.ReadAtLeastAsync(3).AsTask().WaitAsync(FrontDoor.Patience);
        Input.AdvanceTo(first.Buffer.GetPosition(1), first.Buffer.GetPosition(2));

        var again = Input.ReadAsync();

        Assert.That(again.IsCompleted, Is.True);
        Assert.That(Encoding.ASCII.GetString((await again).Buffer), Is.EqualTo("bc"));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task Read_InAnyPortions_LosesAndRepeatsNothing(int seed)
    {
        var random = new Random(seed);
        var sent = SocketSpliceTests.RandomBytes(400_000, seed);
        var sending = Task.Run(async () =>
        {
            for (var at = 0; at < sent.Length;) at += await _peer.SendAsync(sent.AsMemory(at, Math.Min(random.Next(1, 9_000), sent.Length - at)));
            _peer.Shutdown(SocketShutdown.Send);
        });
        var portions = new Random(seed + 100);
        var received = new List<byte>();
        while (true)
        {
            var read = await Input.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);
            var take = read.IsCompleted ? read.Buffer.Length : portions.NextInt64(read.Buffer.Length + 1);
            received.AddRange(read.Buffer.Slice(0, take).ToArray());
            // What was not examined must come back without anything new.
            var examined = portions.Next(2) == 0 ? read.Buffer.End : read.Buffer.GetPosition(take);
            Input.AdvanceTo(read.Buffer.GetPosition(take), examined);
            if (read.IsCompleted) break;
        }
        await sending;

        Assert.That(received, Is.EqualTo(sent));
    }

    [Test]
    public async Task CancelPendingRead_EndsTheWaitOnceAndTakesNothing()
    {
        var waiting = Input.ReadAsync().AsTask();
        Input.CancelPendingRead();
        Assert.That((await waiting.WaitAsync(FrontDoor.Patience)).IsCanceled, Is.True);

        Input.CancelPendingRead();
        Assert.That((await Input.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience)).IsCanceled, Is.True);
        await _peer.SendAsync("x"u8.ToArray());
        var read = await Input.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);
        Assert.That((read.IsCanceled, read.Buffer.Length), Is.EqualTo((false, 1L)));
    }

    [Test]
    public async Task Read_WithATokenThatFires_EndsAndMayBeTriedAgain()
    {
        using var patience = new CancellationTokenSource();
        var waiting = Input.ReadAsync(patience.Token).AsTask();
        await patience.CancelAsync();
        Assert.That(async () => await waiting.WaitAsync(FrontDoor.Patience), Throws.InstanceOf<OperationCanceledException>());

        await _peer.SendAsync("x"u8.ToArray());
        Assert.That((await Input.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience)).Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public async Task Read_HasWhatThePeerSentBeforeTheConnectionWasMade()
    {
        var (peer, own) = await SocketSpliceTests.PairAsync();
        using var _ = peer;
        await peer.SendAsync("before"u8.ToArray());
        peer.Shutdown(SocketShutdown.Send);
        await using var connection = Arrived(own);

        var read = await connection.Transport.Input.ReadAtLeastAsync(6).AsTask().WaitAsync(FrontDoor.Patience);

        Assert.That(Encoding.ASCII.GetString(read.Buffer), Is.EqualTo("before"));
        connection.Transport.Input.AdvanceTo(read.Buffer.End);
    }
}
