using System.Buffers;
using System.IO.Pipelines;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Network;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Ingress.Tls;

internal sealed class ClientHelloPeekTests : PeekFixture
{
    private Pipe _pipe = null!;

    [SetUp]
    public void SetUp()
    {
        // Inline: once a write returns, the peek has seen it.
        _pipe = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
    }

    [Test]
    public async Task Read_HelloInSingleBytes_FindsTheNameAndLeavesEveryByte()
    {
        var peeking = Peek();
        foreach (var octet in HelloBytes.Example) await _pipe.Writer.WriteAsync(new[] { octet });

        var hello = await peeking;
        Assert.That((hello.Failure, hello.ServerName), Is.EqualTo((PeekFailure.None, "app.example.test")));
        Assert.That(_pipe.Reader.TryRead(out var left), Is.True);
        Assert.That(left.Buffer.ToArray(), Is.EqualTo(HelloBytes.Example));
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
    public async Task Read_ClientThatPauses_IsGivenFiveSeconds()
    {
        var peeking = Peek();
        await _pipe.Writer.WriteAsync(HelloBytes.Example.AsMemory(0, 100));

        Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.That(peeking.IsCompleted, Is.False);
        Time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That((await peeking.WaitAsync(FrontDoor.Patience)).Failure, Is.EqualTo(PeekFailure.Timeout));
    }

    [Test]
    public async Task Read_ClientThatDrips_IsGivenTwentySecondsInAll()
    {
        var peeking = Peek();
        var sent = 0;
        while (!peeking.IsCompleted && sent < HelloBytes.Example.Length)
        {
            await _pipe.Writer.WriteAsync(HelloBytes.Example.AsMemory(sent++, 1));
            Time.Advance(TimeSpan.FromSeconds(1));
            if (sent == 20) await peeking.WaitAsync(FrontDoor.Patience);
        }

        Assert.That((await peeking).Failure, Is.EqualTo(PeekFailure.Timeout));
        Assert.That(sent, Is.EqualTo(20));
    }

    [Test]
    public async Task Read_ClientThatLeaves_IsClosed()
    {
        var peeking = Peek();
        await _pipe.Writer.WriteAsync(HelloBytes.Example.AsMemory(0, 100));
        await _pipe.Writer.CompleteAsync();

        Assert.That((await peeking).Failure, Is.EqualTo(PeekFailure.Closed));
    }

    [Test]
    public async Task Read_ConnectionIsReset_IsClosed()
    {
        var peeking = Peek();
        await _pipe.Writer.CompleteAsync(new IOException("Connection reset by peer."));

        Assert.That((await peeking).Failure, Is.EqualTo(PeekFailure.Closed));
    }

    [Test]
    public async Task Read_MoreThanTheLimitOfWaitingPeeks_RefusesTheRest()
    {
        Limits.MaxWaitingPeeks = 1;
        var first = Peek();

        var second = await Peek();
        await _pipe.Writer.WriteAsync(HelloBytes.Example);

        Assert.That(second.Failure, Is.EqualTo(PeekFailure.Busy));
        Assert.That((await first).Failure, Is.EqualTo(PeekFailure.None));
        _pipe = new Pipe();
        await _pipe.Writer.WriteAsync(HelloBytes.Example);
        Assert.That((await Peek()).Failure, Is.EqualTo(PeekFailure.None), "the place was given back");
    }

    private Task<PeekedHello> Peek()
    {
        var origin = new ConnectionOriginFeature(ConnectionOrigin.Tunnel, null, 443, null, false);
        return NewPeek().ReadAsync(_pipe.Reader, origin, default).AsTask();
    }
}
