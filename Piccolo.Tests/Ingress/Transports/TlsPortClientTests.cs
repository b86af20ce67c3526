using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Network;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.Tls;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Tests.Ingress.Transports;

/// <summary>When a client of the TLS port has said enough, and what it finds then.</summary>
internal sealed class TlsPortClientTests : TlsPortFixture
{
    [Test]
    public async Task Hello_ThatIsWhole_IsDecidedOnAtOnceWithEveryByteStillInTheKernel()
    {
        await AcceptAsync(HelloBytes.Example);

        await using var served = await ServedAsync();
        var route = served.Features.GetRequiredFeature<TlsRouteFeature>();
        Assert.That((route.ServerName, route.Route is Route.Portal), Is.EqualTo(("app.example.test", true)));
        Assert.That(served.Features.GetRequiredFeature<IConnectionOriginFeature>().Origin, Is.EqualTo(ConnectionOrigin.Loopback));
        Assert.That(served.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.Available, Is.EqualTo(HelloBytes.Example.Length));
    }

    [Test]
    public async Task Bytes_ThatAreNoHello_AreRefusedByTheFirst()
    {
        var client = await AcceptAsync("G"u8.ToArray());

        Assert.That(await RefusedAsync(), Is.EqualTo("NotTls"));
        Assert.That(await client.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Is.Zero, "a regular end");
    }

    [Test]
    public async Task Hello_InSingleBytes_IsServedWithEveryByteStillInTheKernel()
    {
        var client = await AcceptAsync(default);
        foreach (var octet in HelloBytes.Example) await client.SendAsync(new[] { octet });

        await using var served = await ServedAsync();
        Assert.That(served.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.Available, Is.EqualTo(HelloBytes.Example.Length));
    }

    [TestCase(1)]
    [TestCase(5)]
    [TestCase(9)]
    [TestCase(516)]
    public async Task Hello_InTwoPieces_IsServed(int first)
    {
        var client = await AcceptAsync(HelloBytes.Example.AsMemory(0, first));
        Assert.That(IsAnybodyServed, Is.False);

        await client.SendAsync(HelloBytes.Example.AsMemory(first));

        await using var served = await ServedAsync();
    }

    [Test]
    public async Task Hello_WithTheEndRightBehindIt_IsServed()
    {
        var client = await AcceptAsync(HelloBytes.Example.AsMemory(0, 100));
        await client.SendAsync(HelloBytes.Example.AsMemory(100));
        client.Shutdown(SocketShutdown.Send);

        await using var served = await ServedAsync();
    }

    [TestCase(16_379, true)]
    [TestCase(16_380, false)]
    public async Task Hello_OfUpToSixteenKibibytes_IsServed(int length, bool isServed)
    {
        var name = HelloBytes.Extension(0, HelloBytes.ServerNames((0, "app.example.test"u8.ToArray())));
        var padding = length - HelloBytes.Message(HelloBytes.Extension(21, []), name).Length;
        var client = await AcceptAsync(default);
        await client.SendAsync(HelloBytes.Records(HelloBytes.Message(HelloBytes.Extension(21, new byte[padding]), name)));

        if (isServed) await (await ServedAsync()).DisposeAsync();
        else Assert.That(await RefusedAsync(), Is.EqualTo("TooLarge"));
    }

    [TestCase(0, true)]
    [TestCase(1, true)]
    [TestCase(100, true)]
    [TestCase(0, false)]
    [TestCase(100, false)]
    public async Task Client_ThatEnds_IsClosedAtOnce(int sent, bool isAccepted)
    {
        var (client, own, remote) = await PairAsync();
        if (isAccepted) await BeginAsync(own, remote);
        await client.SendAsync(HelloBytes.Example.AsMemory(0, sent));
        client.Shutdown(SocketShutdown.Send);
        if (!isAccepted) await BeginAsync(own, remote);

        Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));
    }

    [Test]
    public async Task Client_ThatResets_IsClosed([Values] bool isAccepted)
    {
        var (client, own, remote) = await PairAsync();
        await client.SendAsync(HelloBytes.Example.AsMemory(0, 100));
        if (isAccepted) await BeginAsync(own, remote);
        client.Break();
        if (!isAccepted) await BeginAsync(own, remote);

        Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));
    }

    [Test]
    public async Task UnknownName_IsToldByAlertAndARegularEnd()
    {
        var client = await AcceptAsync(HelloBytes.WithServerName("other.example.test"));

        Assert.That(await RefusedAsync(), Is.EqualTo("UnknownName"));
        Assert.That(await TlsTerminationTests.ReadToEndAsync(client).WaitAsync(FrontDoor.Patience), Is.EqualTo(new byte[] { 21, 3, 3, 0, 2, 2, 112 }));
    }

    [Test]
    public async Task Stop_EndsClientsThatAreAwaited()
    {
        var clients = new[] { await AcceptAsync(default), await AcceptAsync(HelloBytes.Example.AsMemory(0, 100)) };

        Port.Close();

        foreach (var client in clients)
        {
            Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));
            Assert.That(await client.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Is.Zero);
        }
    }

    [Test]
    public async Task Stop_BeforeAConnectionIsQueued_EndsIt()
    {
        var (client, own, remote) = await PairAsync();
        await client.SendAsync(HelloBytes.Example);
        Port.Close();

        await BeginAsync(own, remote);

        Assert.That(await TlsTerminationTests.ReadToEndAsync(client).WaitAsync(FrontDoor.Patience).ContinueWith(t => t.IsCompleted, TaskScheduler.Default),
            Is.True);
        Assert.That(Door.Get<ConnectionsPerAddress>().Clients, Is.Zero);
    }
}
