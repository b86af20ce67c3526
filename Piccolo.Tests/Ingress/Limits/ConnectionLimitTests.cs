using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Network;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Limits;

internal sealed class ConnectionLimitTests
{
    [TestCase("192.0.2.7", ConnectionOrigin.Tunnel, "192.0.2.7")]
    [TestCase("2001:db8:1:2:3:4:5:6", ConnectionOrigin.Lan, "2001:db8:1:2::")]
    [TestCase("127.0.0.1", ConnectionOrigin.Loopback, null)]
    public void KeyOf_AClient_IsItsAddressOrItsNetwork(string address, ConnectionOrigin origin, string? expected) => Assert.That(
        ConnectionsPerAddress.KeyOf(new ConnectionOriginFeature(origin, new IPEndPoint(IPAddress.Parse(address), 1), 443, null, false)),
        Is.EqualTo(expected is null ? null : IPAddress.Parse(expected)));

    [Test]
    public void KeyOf_AnUnknownClient_IsNone() =>
        Assert.That(ConnectionsPerAddress.KeyOf(new ConnectionOriginFeature(ConnectionOrigin.Tunnel, null, 443, null, false)), Is.Null);

    [Test]
    public void TryEnter_FromManyThreads_CountsExactlyAndForgets()
    {
        const int Limit = 50;
        var connections = new ConnectionsPerAddress(Options.Create(new IngressOptions { MaxConnectionsPerAddress = Limit }));
        var client = IPAddress.Parse("192.0.2.7");
        var most = 0;

        Parallel.For(0, 20_000, _ =>
        {
            if (!connections.TryEnter(client)) return;
            connections.Leave(client);
        });
        for (var i = 0; i < 2 * Limit; i++) if (connections.TryEnter(client)) most++;
        var other = connections.TryEnter(IPAddress.Parse("192.0.2.8"));
        connections.Leave(IPAddress.Parse("192.0.2.8"));
        for (var i = 0; i < most; i++) connections.Leave(client);

        Assert.That((most, other, connections.Clients), Is.EqualTo((Limit, true, 0)));
    }

    [Test]
    public async Task Tunnel_ClientWithItsShare_IsTurnedAwayAndOthersAreServed()
    {
        await using var door = await StartAsync(new() { ["MaxConnectionsPerAddress"] = "1" });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        using var first = ClientOf(door, "198.51.100.7");
        using var other = ClientOf(door, "198.51.100.8");

        Assert.That(await first.GetStringAsync("https://web.home.test/"), Is.EqualTo("ok"));
        var second = door.Tunnel.Open("web.home.test", 443, true, IPEndPoint.Parse("198.51.100.7:2"));
        await second.Ended.WaitAsync(Patience);

        Assert.That(await other.GetStringAsync("https://web.home.test/"), Is.EqualTo("ok"));
        Assert.That(await first.GetStringAsync("https://web.home.test/"), Is.EqualTo("ok"));
    }

    [Test]
    public async Task Connections_MoreThanTheTotal_AreRefusedOnEveryEndpointUntilOneEnds()
    {
        await using var door = await StartAsync(new() { ["MaxConnections"] = "3" });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        var ports = await door.OpenLanPortsAsync(Listener("lan", app.Port));
        // One each on three endpoints: all have been answered, so all are counted.
        using var plain = door.ClientFor(door.HttpPort);
        using var lan = door.ClientFor(ports[0]);
        using var tls = await door.ConnectTlsAsync("web.home.test");
        Assert.That(await plain.GetStringAsync("http://localhost/"), Is.EqualTo(PortalBody));
        Assert.That(await lan.GetStringAsync("http://box.local/"), Is.EqualTo("ok"));

        foreach (var port in new[] { door.HttpPort, door.HttpsPort, ports[0] }) Assert.That(await IsAnsweredAsync(port), Is.False);
        var stream = door.Tunnel.Open("web.home.test", 443, true, IPEndPoint.Parse("198.51.100.7:2"));
        await stream.Ended.WaitAsync(Patience);
        Assert.That(await plain.GetStringAsync("http://localhost/"), Is.EqualTo(PortalBody), "who is in stays in");

        tls.Close();
        await ReadUntilServedAsync(door);
    }

    [Test]
    public async Task Handshakes_MoreThanTheLimit_AreRefusedUntilOneEnds()
    {
        await using var door = await StartAsync(new() { ["MaxHandshakes"] = "1" });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        using var stuck = await ConnectAsync(door.HttpsPort);
        // A whole hello, and then nothing: its answer shows that the handshake runs.
        await stuck.SendAsync(HelloBytes.Captured("curl-7.88-h2.bin"));
        Assert.That(await stuck.ReceiveAsync(new byte[1]).WaitAsync(Patience), Is.EqualTo(1));

        Assert.That(async () => await door.ConnectTlsAsync("web.home.test"),
            Throws.InstanceOf<IOException>().Or.InstanceOf<System.Security.Authentication.AuthenticationException>());
        stuck.LingerState = new LingerOption(true, 0);
        stuck.Close();
        await ReadUntilServedAsync(door);
    }

    [Test]
    public async Task Handshakes_OfOneAddressWithItsShare_LeaveOthersTheirs()
    {
        await using var door = await StartAsync(new() { ["MaxHandshakes"] = "100", ["MaxHandshakesPerAddress"] = "1" });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        using var stuck = await ConnectFromAsync("127.0.0.2", door.HttpsPort);
        await stuck.SendAsync(HelloBytes.Captured("curl-7.88-h2.bin"));
        Assert.That(await stuck.ReceiveAsync(new byte[1]).WaitAsync(Patience), Is.EqualTo(1));

        Assert.That(async () => await HandshakeFromAsync(door, "127.0.0.2"),
            Throws.InstanceOf<IOException>().Or.InstanceOf<System.Security.Authentication.AuthenticationException>());
        Assert.That(async () => await HandshakeFromAsync(door, "127.0.0.3"), Throws.Nothing);
    }

    [Test]
    public async Task Hellos_OfOneAddressWithItsShare_LeaveOthersTheirs()
    {
        await using var door = await StartAsync(new() { ["MaxWaitingPeeksPerAddress"] = "1" });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        var hello = HelloBytes.Captured("curl-7.88-h2.bin");
        using var slow = await ConnectFromAsync("127.0.0.2", door.HttpsPort);
        await slow.SendAsync(hello.AsMemory(0, 10));
        using var patience = new CancellationTokenSource(Patience);
        var isRefused = false;
        while (!isRefused)
        {
            // Until the first one is awaited, the second may be.
            using var second = await ConnectFromAsync("127.0.0.2", door.HttpsPort);
            await second.SendAsync(hello.AsMemory(0, 10));
            var ending = second.ReceiveAsync(new byte[1]);
            isRefused = await Task.WhenAny(ending, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, patience.Token)) == ending;
        }

        Assert.That(async () => await HandshakeFromAsync(door, "127.0.0.3"), Throws.Nothing);
    }

    [Test]
    public async Task Connections_ToAnApp_LeaveTheOwnerSome()
    {
        await using var door = await StartAsync(new() { ["MaxConnections"] = "20" });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        var ports = await door.OpenLanPortsAsync(Listener("lan", app.Port));
        // Each is answered, and then held, or refused: all are counted.
        var held = new List<Socket>();
        for (var i = 0; i < 40; i++) held.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        var answered = 0;
        foreach (var socket in held) if (await IsAnsweredAsync(socket, ports[0])) answered++;

        Assert.That(answered, Is.EqualTo(15), "a quarter is the owner's");
        Assert.That(await IsAnsweredAsync(door.HttpPort), Is.True);
        using var tls = await door.ConnectTlsAsync("web.home.test");
        held.ForEach(s => s.Dispose());
    }

    [TestCase(false, Description = "hellos that never become whole")]
    [TestCase(true, Description = "handshakes that never end")]
    public async Task Connections_ToHttps_LeaveTheOwnerSomeForHttp(bool withWholeHello)
    {
        await using var door = await StartAsync(new() { ["MaxConnections"] = "20" });
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("ok"));
        door.PublishApp("web", app.Port);
        var hello = HelloBytes.Captured("curl-7.88-h2.bin");
        var held = new List<Socket>();
        for (var i = 0; i < 40; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            held.Add(socket);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, door.HttpsPort);
                await socket.SendAsync(withWholeHello ? hello : hello.AsMemory(0, 10));
            }
            catch (SocketException)
            {
                // Turned away.
            }
        }
        // When nobody more is let in there, all that may be are held.
        using var patience = new CancellationTokenSource(Patience);
        var isRefused = false;
        while (!isRefused)
        {
            using var more = await ConnectAsync(door.HttpsPort, patience.Token);
            await more.SendAsync(hello.AsMemory(0, 10));
            var ending = more.ReceiveAsync(new byte[1]).ContinueWith(static _ => { }, TaskScheduler.Default);
            isRefused = await Task.WhenAny(ending, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, patience.Token)) == ending;
        }

        Assert.That(await IsAnsweredAsync(door.HttpPort), Is.True);
        held.ForEach(s => s.Dispose());
    }

    private static async Task<Socket> ConnectFromAsync(string address, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    private static async Task HandshakeFromAsync(FrontDoor door, string address)
    {
        using var tls = new System.Net.Security.SslStream(new NetworkStream(await ConnectFromAsync(address, door.HttpsPort), ownsSocket: true));
        await door.HandshakeAsync(tls, "web.home.test");
    }

    private static async Task<bool> IsAnsweredAsync(Socket socket, int port)
    {
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            await socket.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            return await socket.ReceiveAsync(new byte[64]).WaitAsync(Patience) > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<bool> IsAnsweredAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        return await IsAnsweredAsync(socket, port);
    }

    private static HttpClient ClientOf(FrontDoor door, string address) =>
        door.ClientOver(_ => ValueTask.FromResult(door.Tunnel.Open("web.home.test", 443, true, new IPEndPoint(IPAddress.Parse(address), 1)).User));

    /// <summary>When the place is given back is the server's affair: each refusal is an answer, so this needs no clock.</summary>
    private static async Task ReadUntilServedAsync(FrontDoor door)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var client = door.ClientFor(door.HttpsPort);
        while (true)
        {
            try
            {
                Assert.That(await client.GetStringAsync("https://web.home.test/", patience.Token), Is.EqualTo("ok"));
                return;
            }
            catch (HttpRequestException) when (!patience.IsCancellationRequested)
            {
            }
        }
    }
}
