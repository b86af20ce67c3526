using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;
using Piccolo.Core.ProxyProtocol;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;
using static Piccolo.Tests.Ingress.Tls.TlsTerminationTests;

namespace Piccolo.Tests.Ingress.Origin;

internal sealed class ProxyProtocolTests
{
    private static readonly IPEndPoint Client = IPEndPoint.Parse("203.0.113.9:49152");
    private static readonly IPEndPoint Here = IPEndPoint.Parse("192.0.2.1:443");
    private static readonly byte[] Local = [.. ProxyHeaderParser.Signature, 0x20, 0, 0, 0];

    private FrontDoor _door = null!;
    private FakeApp _app = null!;

    [SetUp]
    public async Task SetUp()
    {
        _door = await StartAsync(new() { ["ProxyProtocol:TrustedSources:0"] = "127.0.0.1", ["PeekIdleTimeout"] = "00:00:00.300" });
        _app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        _door.PublishApp("web", _app.Port);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _app.DisposeAsync();
        await _door.DisposeAsync();
    }

    [Test]
    public async Task TrustedSource_OverTls_AppSeesTheClientOfTheHeader([Values] bool inPieces)
    {
        var header = ProxyHeaderWriter.Write(Client, Here);
        using var client = _door.ClientOver(async cancel =>
        {
            var socket = await ConnectAsync(_door.HttpsPort, cancel);
            foreach (var part in inPieces ? header.Chunk(1) : [header]) await socket.SendAsync(part, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        });

        Assert.That(await client.GetStringAsync("https://web.home.test/"), Is.EqualTo("ok"));
        var seen = await _app.NextRequestAsync();
        Assert.That(seen["X-Forwarded-For"].ToString(), Is.EqualTo("203.0.113.9"));
        Assert.That(seen["Forwarded"].ToString(), Does.StartWith("for=203.0.113.9;"));
    }

    [Test]
    public async Task TrustedSource_HeaderAndHelloInOneSegment_AreBothRead()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        var hello = HelloBytes.WithServerName("own.home.test");
        using var client = await ConnectAsync(_door.HttpsPort);

        await client.SendAsync((byte[])[.. ProxyHeaderWriter.Write(Client, Here), .. hello]);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);
        client.Shutdown(SocketShutdown.Send);

        Assert.That(await ReadToEndAsync(app), Is.EqualTo(hello));
    }

    [TestCase("203.0.113.9:1")]
    [TestCase("127.0.0.1:1")]
    [TestCase("[::1]:1")]
    public async Task TrustedSource_ClientFromAfarOrPretendingToBeThisMachine_IsNotAdmittedToThePortal(string client)
    {
        var answer = await AskPortalAsync(ProxyHeaderWriter.Write(IPEndPoint.Parse(client), Here));

        Assert.That(answer, Does.StartWith("HTTP/1.1 403 "));
    }

    [Test]
    public async Task TrustedSource_ForItself_IsWhoTheSocketSays() =>
        Assert.That(await AskPortalAsync(Local), Does.StartWith("HTTP/1.1 200 ").And.EndsWith(PortalBody + "\r\n0\r\n\r\n"));

    [TestCase("")]
    [TestCase("PROXY TCP4 203.0.113.9 192.0.2.1 49152 443\r\n")]
    public async Task TrustedSource_WithoutTheHeader_IsRefused(string first)
    {
        using var client = await ConnectAsync(_door.HttpPort);
        await client.SendAsync(Encoding.ASCII.GetBytes(first + "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));

        Assert.That(await HearsNothingAsync(client), Is.True);
    }

    [Test]
    public async Task TrustedSource_SilentOrSlow_IsCutOff()
    {
        using var client = await ConnectAsync(_door.HttpsPort);
        await client.SendAsync(Local.AsMemory(0, 5));

        Assert.That(await HearsNothingAsync(client), Is.True);
    }

    [Test]
    public async Task OtherSource_WithAHeader_IsRefusedAsNoTls()
    {
        await using var door = await StartAsync(new() { ["ProxyProtocol:TrustedSources:0"] = "192.0.2.0/24" });
        using var client = await ConnectAsync(door.HttpsPort);
        await client.SendAsync((byte[])[.. ProxyHeaderWriter.Write(Client, Here), .. HelloBytes.WithServerName("web.home.test")]);

        Assert.That(await HearsNothingAsync(client), Is.True);
    }

    [Test]
    public async Task Tunnel_WithAHeader_IsRefusedWhoeverIsTrusted()
    {
        await using var door = await StartAsync(new() { ["ProxyProtocol:TrustedSources:0"] = "0.0.0.0/0", ["ProxyProtocol:TrustedSources:1"] = "::/0" });
        door.PublishApp("web", _app.Port);
        var stream = door.Tunnel.Open("web.home.test", 443, true, IPEndPoint.Parse("198.51.100.7:51514"));

        await stream.User.WriteAsync((byte[])[.. ProxyHeaderWriter.Write(Client, Here), .. HelloBytes.WithServerName("web.home.test")]);

        await stream.Ended.WaitAsync(Patience);
        Assert.That(_app.Requests.Reader.TryRead(out _), Is.False);
    }

    [Test]
    public async Task App_ThatAsksForTheHeader_GetsItBeforeTheHello()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls, ListenerProtocol.Raw, configure: d => d with { ClientHeader = ClientHeader.ProxyV2 });
        var hello = HelloBytes.WithServerName("own.home.test");
        var stream = _door.Tunnel.Open("own.home.test", 443, true, IPEndPoint.Parse("198.51.100.7:51514"));

        await stream.User.WriteAsync(hello);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);
        var header = await ReceiveHeaderAsync(app);
        var received = new byte[hello.Length];
        for (var at = 0; at < received.Length;) at += await app.ReceiveAsync(received.AsMemory(at)).AsTask().WaitAsync(Patience);

        Assert.That((header.Source, header.Destination!.Port), Is.EqualTo((IPEndPoint.Parse("198.51.100.7:51514"), 443)));
        Assert.That(received, Is.EqualTo(hello));
    }

    [Test]
    public async Task App_ThatAsksForTheHeader_GetsItOnItsLanPortToo()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        var listener = Listener("mail", port, ListenerFlow.Tcp, ListenerProtocol.Raw);
        var ports = await _door.OpenLanPortsAsync(listener with { Definition = listener.Definition with { ClientHeader = ClientHeader.ProxyV2 } });
        using var client = await ConnectAsync(ports[0]);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        Assert.That((await ReceiveHeaderAsync(app)).Source, Is.EqualTo(client.LocalEndPoint));
    }

    [Test]
    public async Task App_ThatDoesNotAsk_GetsNone()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        var ports = await _door.OpenLanPortsAsync(Listener("mail", port, ListenerFlow.Tcp, ListenerProtocol.Raw));
        using var client = await ConnectAsync(ports[0]);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);
        await client.SendAsync("EHLO"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);

        Assert.That(await ReadToEndAsync(app), Is.EqualTo("EHLO"u8.ToArray()));
    }

    [TestCase("192.168.1.7", ConnectionOrigin.Lan, ConnectionOrigin.Lan)]
    [TestCase("192.168.1.7", ConnectionOrigin.Loopback, ConnectionOrigin.Lan)]
    [TestCase("192.168.1.7", ConnectionOrigin.Forwarded, ConnectionOrigin.Forwarded)]
    [TestCase("192.168.1.7", ConnectionOrigin.Container, ConnectionOrigin.Container)]
    [TestCase("127.0.0.1", ConnectionOrigin.Loopback, ConnectionOrigin.Forwarded)]
    [TestCase("10.88.0.5", ConnectionOrigin.Lan, ConnectionOrigin.Forwarded)]
    [TestCase("203.0.113.9", ConnectionOrigin.Lan, ConnectionOrigin.Forwarded)]
    public void DescribeBehind_AProxy_NeverComesNearerThanTheProxy(string client, ConnectionOrigin proxy, ConnectionOrigin expected)
    {
        var classifier = new OriginClassifier(
            Microsoft.Extensions.Options.Options.Create(new IngressOptions()), Microsoft.Extensions.Logging.Abstractions.NullLogger<OriginClassifier>.Instance,
            _ => (new NetworkMap(
                [new("lan0", 1, IPAddress.Parse("192.168.1.2"), 24), new("podman0", 2, IPAddress.Parse("10.88.0.1"), 16) { IsContainer = true }]), null));

        var described = classifier.ClassifyProxied(new ConnectionOriginFeature(proxy, null, 443, null, IsAllowedNetwork: true),
            new IPEndPoint(IPAddress.Parse(client), 9));

        Assert.That(described.Origin, Is.EqualTo(expected));
        Assert.That(described.IsAllowedNetwork, Is.EqualTo(client == "192.168.1.7"));
    }

    private async Task<string> AskPortalAsync(byte[] header)
    {
        using var client = await ConnectAsync(_door.HttpPort);
        await client.SendAsync((byte[])[.. header, .. "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8]);
        return Encoding.UTF8.GetString(await ReadToEndAsync(client));
    }

    /// <summary>The connection ends without a byte: regularly, or by a reset when something stayed unread.</summary>
    private static async Task<bool> HearsNothingAsync(Socket client)
    {
        try
        {
            return (await ReadToEndAsync(client)).Length == 0;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    private static async Task<ProxyHeader> ReceiveHeaderAsync(Socket app)
    {
        var bytes = new byte[28];
        for (var at = 0; at < bytes.Length;) at += await app.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(Patience);
        var header = ProxyHeaderParser.Parse(bytes);
        Assert.That(header.Verdict, Is.EqualTo(ProxyHeaderVerdict.Header));
        return header;
    }
}
