using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.ProxyProtocol;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Ingress.Transports;

/// <summary>How long a client of the TLS port may take for its first bytes, and how many may.</summary>
internal sealed class TlsPortLimitTests : TlsPortFixture
{
    private static readonly IPEndPoint Proxy = new(IPAddress.Parse("203.0.113.1"), 50_000);

    private protected override Dictionary<string, string?> Settings => new() { ["ProxyProtocol:TrustedSources:0"] = Proxy.Address.ToString() };

    [Test]
    public async Task Client_ThatIsSilent_IsGivenTenSeconds()
    {
        var client = await AcceptAsync(default);

        await AdvanceAsync(TimeSpan.FromSeconds(9.9));
        Assert.That(IsAnybodyRefused, Is.False);
        await AdvanceAsync(TimeSpan.FromSeconds(0.2));

        Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
        Assert.That(await client.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Is.Zero, "a regular end");
    }

    [Test]
    public async Task Client_ThatPauses_IsGivenFiveSeconds()
    {
        await AcceptAsync(HelloBytes.Example.AsMemory(0, 100));

        await AdvanceAsync(TimeSpan.FromSeconds(4.9));
        Assert.That(IsAnybodyRefused, Is.False);
        await AdvanceAsync(TimeSpan.FromSeconds(0.2));

        Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
    }

    [Test]
    public async Task Client_ThatDrips_IsGivenTwentySecondsInAll()
    {
        var client = await AcceptAsync(default);
        for (var sent = 0; sent < 20; sent++)
        {
            Assert.That(IsAnybodyRefused, Is.False);
            await client.SendAsync(HelloBytes.Example.AsMemory(sent, 1));
            // The byte is seen before its second is over.
            await OnLoopAsync(() => { });
            await AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
    }

    [Test]
    public async Task Clients_ThatAreSilent_AreAllGivenTenSecondsThoughSomeLeaveBefore()
    {
        const int Count = 200;
        var clients = new List<Socket>();
        for (var i = 0; i < Count; i++) clients.Add(await AcceptAsync(default));
        var leaving = clients.Where((_, i) => i % 3 == 0).ToArray();
        foreach (var client in leaving) client.Close();
        foreach (var _ in leaving) Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));

        await AdvanceAsync(TimeSpan.FromSeconds(9.9));
        Assert.That(IsAnybodyRefused, Is.False);
        await AdvanceAsync(TimeSpan.FromSeconds(0.2));

        for (var i = leaving.Length; i < Count; i++) Assert.That(await RefusedAsync(), Is.EqualTo("Timeout"));
    }

    [Test]
    public async Task Clients_MoreThanMayWait_AreTurnedAwayAndPlacesGivenBack()
    {
        Limits.MaxWaitingPeeks = 1;
        var first = await AcceptAsync(default);

        await AcceptAsync(default);
        Assert.That(await RefusedAsync(), Is.EqualTo("Busy"));
        await first.SendAsync(HelloBytes.Example);
        await (await ServedAsync()).DisposeAsync();

        var third = await AcceptAsync(default);
        await third.SendAsync(HelloBytes.Example);
        await (await ServedAsync()).DisposeAsync();
    }

    [Test]
    public async Task Clients_MoreThanConnectionsMayBeOpen_AreTurnedAwayUntilOneLeaves()
    {
        Limits.MaxConnections = 1;
        var first = await AcceptAsync(default);

        var second = await AcceptAsync(default);
        Assert.That(await RefusedAsync(), Is.EqualTo("total_limit"));
        Assert.That(async () => await second.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Throws.InstanceOf<SocketException>(), "a reset");
        first.Close();
        Assert.That(await RefusedAsync(), Is.EqualTo("Closed"));

        Assert.That(SpinWait.SpinUntil(() => Door.Get<IngressMetrics>().TryBeginConnection(1), FrontDoor.Patience), Is.True, "the place was given back");
    }

    [Test]
    public async Task Clients_OfOneAddress_CountUntilTheirConnectionEnds()
    {
        Limits.MaxConnectionsPerAddress = 1;
        var first = await AcceptAsync(default, Stranger);

        var second = await AcceptAsync(default, Stranger);
        Assert.That(await RefusedAsync(), Is.EqualTo("address_limit"));
        Assert.That(async () => await second.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Throws.InstanceOf<SocketException>(), "a reset");
        await AcceptAsync(default, new IPEndPoint(IPAddress.Parse("198.51.100.8"), 1));
        Assert.That(Door.Get<ConnectionsPerAddress>().Clients, Is.EqualTo(2));
        await first.SendAsync(HelloBytes.Example);
        var served = await ServedAsync();
        Assert.That(Door.Get<ConnectionsPerAddress>().Clients, Is.EqualTo(2));

        await served.DisposeAsync();

        Assert.That(Door.Get<ConnectionsPerAddress>().Clients, Is.EqualTo(1));
    }

    [Test]
    public async Task Proxy_WithHeaderAndHelloByteByByte_IsServedAsItsClient()
    {
        var proxy = await AcceptAsync(default, Proxy);
        foreach (var octet in (byte[])[.. ProxyHeaderWriter.Write(Stranger, Proxy), .. HelloBytes.Example]) await proxy.SendAsync(new[] { octet });

        await using var served = await ServedAsync();
        Assert.That(served.Features.GetRequiredFeature<IConnectionOriginFeature>().ClientEndPoint, Is.EqualTo(Stranger));
    }

    [Test]
    public async Task Proxy_WithoutAHeader_IsResetAfterFiveSeconds()
    {
        var proxy = await AcceptAsync(default, Proxy);

        await AdvanceAsync(TimeSpan.FromSeconds(4.9));
        Assert.That(IsAnybodyRefused, Is.False);
        await AdvanceAsync(TimeSpan.FromSeconds(0.2));

        Assert.That(await RefusedAsync(), Is.EqualTo("proxy_header"));
        Assert.That(async () => await proxy.ReceiveAsync(new byte[1]).WaitAsync(FrontDoor.Patience), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task Proxy_WhoseClientHasItsShare_IsReset()
    {
        Limits.MaxConnectionsPerAddress = 1;
        await AcceptAsync(default, Stranger);
        await AcceptAsync(ProxyHeaderWriter.Write(Stranger, Proxy), Proxy);

        Assert.That(await RefusedAsync(), Is.EqualTo("address_limit"));
    }
}
