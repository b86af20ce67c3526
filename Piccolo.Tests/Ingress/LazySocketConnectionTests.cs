using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Ingress;

namespace Piccolo.Tests.Ingress;

internal sealed class LazySocketConnectionTests
{
    private WebApplication _app = null!;
    private Socket _peer = null!;
    private LazySocketConnection _connection = null!;

    [SetUp]
    public async Task SetUp()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<BlockPool>();
        builder.Services.AddSingleton<SocketLoops>();
        builder.Services.AddSingleton<SocketConnections>();
        _app = builder.Build();
        (_peer, var own) = await SocketSpliceTests.PairAsync();
        _connection = _app.Services.GetRequiredService<SocketConnections>().Create(own);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _connection.DisposeAsync();
        _peer.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>At the end of a server: its listener lets nobody come any more, then the server aborts all of its connections.</summary>
    [Test]
    public async Task Abort_OfOneWhoseClientStaysAway_HasNothingToBreak()
    {
        await using var waiting = new LazySocketConnection(null, _app.Services.GetRequiredService<BlockPool>());
        waiting.StayAway();

        Assert.That(() => waiting.Abort(new ConnectionAbortedException()), Throws.Nothing);
        Assert.That(await waiting.ArrivalAsync(), Is.False);
    }

    [Test]
    public void Splice_OfAnUntouchedConnection_NeedsNoPipe()
    {
        Assert.That(SpliceClient.OfTransport(_connection).Untouched, Is.SameAs(_connection.Socket));
        Assert.That(_connection.IsUntouched, Is.True);
    }

    [Test]
    public async Task Transport_OnceAskedFor_HasWhatThePeerSentBefore()
    {
        await _peer.SendAsync("before"u8.ToArray());
        _peer.Shutdown(SocketShutdown.Send);

        var read = await _connection.Transport.Input.ReadAtLeastAsync(6).AsTask().WaitAsync(FrontDoor.Patience);

        Assert.That(Encoding.ASCII.GetString(read.Buffer), Is.EqualTo("before"));
        Assert.That(SpliceClient.OfTransport(_connection).Untouched, Is.Null);
        _connection.Transport.Input.AdvanceTo(read.Buffer.End);
    }

    [Test]
    public void Memory_OfItsPipes_HasBlocksOfATlsRecord() =>
        Assert.That(_connection.Features.Get<IMemoryPoolFeature>()!.MemoryPool, Is.InstanceOf<BlockPool>());

    [Test]
    public async Task Abort_BeforeAnythingWasRead_IsABreakForThePeer()
    {
        _connection.Abort(new ConnectionAbortedException("A test."));

        Assert.That(async () => await TlsTerminationTests.ReadToEndAsync(_peer), Throws.InstanceOf<SocketException>());
        Assert.That(() => _connection.Transport, Throws.InstanceOf<ConnectionAbortedException>());
        await Task.CompletedTask;
    }

    [Test]
    public async Task Dispose_BeforeAnythingWasRead_IsARegularEnd()
    {
        await _connection.DisposeAsync();

        Assert.That(await TlsTerminationTests.ReadToEndAsync(_peer), Is.Empty);
    }
}
