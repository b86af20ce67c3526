using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.AspNetCore.Http;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Tls;

internal sealed class TlsTerminationTests
{
    private FrontDoor _door = null!;
    private FakeApp _app = null!;

    [SetUp]
    public async Task SetUp()
    {
        _door = await StartAsync();
        _app = await FakeApp.StartAsync(AnswerAsync);
        _door.PublishApp("web", _app.Port);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _app.DisposeAsync();
        await _door.DisposeAsync();
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Request_ForApp_IsForwarded(string version)
    {
        using var client = _door.ClientFor(_door.HttpsPort);
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://web.home.test/echo?q=1")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new StringContent("hello"),
        };

        using var response = await client.SendAsync(request);

        Assert.That(response.Version, Is.EqualTo(Version.Parse(version)));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("web.home.test /echo?q=1 hello"));
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task WebSocket_ToApp_EchoesBothWays(string version)
    {
        using var client = _door.ClientFor(_door.HttpsPort);
        using var socket = new ClientWebSocket
        {
            Options = { HttpVersion = Version.Parse(version), HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact },
        };
        await socket.ConnectAsync(new Uri("wss://web.home.test/ws"), client, default).WaitAsync(Patience);

        await socket.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Text, true, default);
        var buffer = new byte[16];
        var received = await socket.ReceiveAsync(buffer, default).WaitAsync(Patience);

        Assert.That(Encoding.UTF8.GetString(buffer, 0, received.Count), Is.EqualTo("ping"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).WaitAsync(Patience);
        Assert.That(socket.State, Is.EqualTo(WebSocketState.Closed));
    }

    [Test]
    public async Task Upload_LargerThanKestrelsDefaultLimit_ReachesTheApp()
    {
        const int Size = 40_000_000;
        using var client = _door.ClientFor(_door.HttpsPort);

        using var response = await client.PostAsync("https://web.home.test/length", new ByteArrayContent(new byte[Size]));

        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo($"{Size}"));
    }

    [Test]
    public async Task Portal_OverTls_ReachesTheApi()
    {
        _door.PublishPortal();
        using var client = _door.ClientFor(_door.HttpsPort);

        Assert.That(await client.GetStringAsync("https://portal.home.test/"), Is.EqualTo(PortalBody));
    }

    [Test]
    public async Task Authority_OfAnotherName_IsMisdirectedEvenUnderTheSameCertificate()
    {
        _door.PublishPortal(withCertificate: false);
        _door.AddCertificate("web.home.test", "portal.home.test");
        await using var tls = await _door.ConnectTlsAsync("web.home.test");

        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: portal.home.test\r\nConnection: close\r\n\r\n"u8.ToArray());
        var answer = await ReadToEndAsync(tls);

        Assert.That(answer, Does.StartWith("HTTP/1.1 421 ").And.Contain("\"code\":\"misdirected_request\"").And.Not.Contain("Server:"));
    }

    [Test]
    public async Task Connection_WhoseAppMovedToAnotherNode_IsMisdirected()
    {
        using var client = _door.ClientFor(_door.HttpsPort);
        Assert.That((await client.GetAsync("https://web.home.test/echo")).StatusCode, Is.EqualTo(HttpStatusCode.OK));

        _door.Publish(new Route.Leader(DomainName.Parse("web.home.test"), Listener("web", _app.Port), null), withCertificate: false);

        Assert.That((await client.GetAsync("https://web.home.test/echo")).StatusCode, Is.EqualTo(HttpStatusCode.MisdirectedRequest));
    }

    [Test]
    public async Task Close_ByTheServer_SendsCloseNotify()
    {
        using var socket = await ConnectAsync(_door.HttpsPort);
        await using var network = new NetworkStream(socket);
        using var received = new MemoryStream();
        await using var tls = new SslStream(new TapStream(network, received));
        // In TLS 1.2 the type of a record is visible: SslStream itself takes a bare end of the transport for a close_notify.
        await _door.HandshakeAsync(tls, "web.home.test", SslProtocols.Tls12);

        await tls.WriteAsync("GET /echo HTTP/1.1\r\nHost: web.home.test\r\nConnection: close\r\n\r\n"u8.ToArray());
        var answer = await ReadToEndAsync(tls);

        Assert.That(answer, Does.StartWith("HTTP/1.1 200 ").And.Contain("web.home.test /echo"));
        Assert.That(RecordTypes(received.ToArray()).TakeLast(2), Is.EqualTo(new[] { 23, 21 }), "application data, then an alert");
    }

    [TestCase("unknown.home.test")]
    [TestCase("pending.home.test")]
    public async Task Handshake_ForANameWithoutCertificate_GetsUnrecognizedName(string host)
    {
        _door.PublishApp("pending", _app.Port, withCertificate: false);
        using var socket = await ConnectAsync(_door.HttpsPort);

        await socket.SendAsync(Core.Tls.HelloBytes.WithServerName(host));
        socket.Shutdown(SocketShutdown.Send);

        Assert.That(await ReadToEndAsync(socket), Is.EqualTo(new byte[] { 21, 3, 3, 0, 2, 2, 112 }));
    }

    [Test]
    public void Handshake_OfSslStreamForAnUnknownName_Fails() =>
        Assert.That(async () => await _door.ConnectTlsAsync("unknown.home.test"), Throws.InstanceOf<AuthenticationException>());

    [Test]
    public async Task Handshake_WithTls11_IsRefused()
    {
        await using var tls = new SslStream(new NetworkStream(await ConnectAsync(_door.HttpsPort), ownsSocket: true));
#pragma warning disable CA5397, SYSLIB0039 // it is what the test is about
        var handshake = tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "web.home.test",
            EnabledSslProtocols = SslProtocols.Tls11,
        });
#pragma warning restore CA5397, SYSLIB0039

        Assert.That(async () => await handshake.WaitAsync(Patience), Throws.InstanceOf<AuthenticationException>().Or.InstanceOf<IOException>());
    }

    [Test]
    public async Task Handshake_AfterTheBundleIsReplaced_ServesTheNewCertificateAndKeepsOldConnections()
    {
        await using var before = await _door.ConnectTlsAsync("web.home.test");
        var old = before.RemoteCertificate!.GetCertHashString();

        _door.Publish(new Route.App(DomainName.Parse("web.home.test"), Listener("web", _app.Port)), withCertificate: false);
        _door.ReplaceCertificate("web.home.test");
        await using var after = await _door.ConnectTlsAsync("web.home.test");
        await before.WriteAsync("GET /echo HTTP/1.1\r\nHost: web.home.test\r\nConnection: close\r\n\r\n"u8.ToArray());

        Assert.That(after.RemoteCertificate!.GetCertHashString(), Is.Not.EqualTo(old));
        Assert.That(await ReadToEndAsync(before), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task RawListener_IsTerminatedAndSplicedBothWaysWithHalfClose()
    {
        using var upstream = new TcpListener(IPAddress.Loopback, 0);
        upstream.Start();
        _door.PublishApp("mail", ((IPEndPoint)upstream.LocalEndpoint).Port, ListenerFlow.Tcp, ListenerProtocol.Raw);
        var accepting = upstream.AcceptSocketAsync();
        await using var tls = await _door.ConnectTlsAsync("mail.home.test", null, SslApplicationProtocol.Http11);
        using var app = await accepting.WaitAsync(Patience);

        // The server speaks first, ends first, and still hears what the client says then.
        await app.SendAsync("220 ready"u8.ToArray());
        app.Shutdown(SocketShutdown.Send);
        var greeting = await ReadToEndAsync(tls);
        await tls.WriteAsync("late"u8.ToArray());
        Assert.That(tls.NegotiatedApplicationProtocol.Protocol.IsEmpty, Is.True);
        Assert.That(greeting, Is.EqualTo("220 ready"));
        await tls.ShutdownAsync();
        tls.Close();
        Assert.That(Encoding.ASCII.GetString(await ReadToEndAsync(app)), Is.EqualTo("late"));
    }

    [Test]
    public async Task RawListener_WhoseClientBreaksOff_IsBrokenOffForTheAppToo()
    {
        using var upstream = new TcpListener(IPAddress.Loopback, 0);
        upstream.Start();
        _door.PublishApp("mail", ((IPEndPoint)upstream.LocalEndpoint).Port, ListenerFlow.Tcp, ListenerProtocol.Raw);
        var accepting = upstream.AcceptSocketAsync();
        var socket = await ConnectAsync(_door.HttpsPort);
        await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await _door.HandshakeAsync(tls, "mail.home.test");
        using var app = await accepting.WaitAsync(Patience);
        await tls.WriteAsync("half"u8.ToArray());
        var half = new byte[4];
        await app.ReceiveAsync(half).WaitAsync(Patience);

        socket.Break();

        // Nor is it a regular end: the app would take half for the whole.
        Assert.That(async () => await ReadToEndAsync(app), Throws.InstanceOf<SocketException>());
    }

    internal static async Task<string> ReadToEndAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all).WaitAsync(Patience);
        return Encoding.UTF8.GetString(all.ToArray());
    }

    /// <summary>Reads up to the peer's end; this side may go on sending.</summary>
    internal static async Task<byte[]> ReadToEndAsync(Socket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer).WaitAsync(Patience) is > 0 and var count) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    private static IEnumerable<int> RecordTypes(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += 5 + (bytes[at + 3] << 8 | bytes[at + 4])) yield return bytes[at];
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } message)
                await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
            return;
        }
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        await context.Response.WriteAsync(context.Request.Path == "/length"
            ? $"{body.Length}"
            : $"{context.Request.Host} {context.Request.Path}{context.Request.QueryString} {Encoding.UTF8.GetString(body.ToArray())}");
    }
}
