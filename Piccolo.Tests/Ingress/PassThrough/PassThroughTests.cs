using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;
using static Piccolo.Tests.Ingress.Tls.TlsTerminationTests;

namespace Piccolo.Tests.Ingress.PassThrough;

internal sealed class PassThroughTests
{
    private FrontDoor _door = null!;

    [SetUp]
    public async Task SetUp() => _door = await StartAsync(new()
    {
        ["PeekFirstByteTimeout"] = "00:00:00.300",
        ["PeekIdleTimeout"] = "00:00:00.200",
        ["PeekTotalTimeout"] = "00:00:00.600",
    });

    [TearDown]
    public async Task TearDown() => await _door.DisposeAsync();

    [TestCase("http/1.1")]
    [TestCase("h2")]
    public async Task Handshake_OfATlsListener_IsTheAppsOwn(string alpn)
    {
        using var own = _door.Ca.IssueLeaf("own.home.test");
        await using var app = await FakeApp.StartAsync(c => c.Response.WriteAsync("the app"), HttpProtocols.Http1AndHttp2, own);
        _door.PublishApp("own", app.Port, ListenerFlow.Tls);
        using var socket = await ConnectAsync(_door.HttpsPort);
        await using var tls = new SslStream(new NetworkStream(socket));

        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "own.home.test",
            ApplicationProtocols = [new SslApplicationProtocol(alpn)],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate!.GetCertHashString() == own.GetCertHashString(),
        }).WaitAsync(Patience);

        Assert.That(tls.NegotiatedApplicationProtocol.ToString(), Is.EqualTo(alpn));
    }

    [Test]
    public async Task Route_ToAnotherNode_PassesTheHelloOnUntouched()
    {
        using var leader = StartListening(out var port);
        _door.Publish(new Route.Leader(DomainName.Parse("web.home.test"), Listener("web", 1), new Uri($"https://127.0.0.1:{port}")), withCertificate: false);
        var hello = HelloBytes.WithServerName("web.home.test");
        using var client = await ConnectAsync(_door.HttpsPort);

        await client.SendAsync(hello);
        using var node = await leader.AcceptSocketAsync().WaitAsync(Patience);
        client.Shutdown(SocketShutdown.Send);

        Assert.That(await ReadToEndAsync(node), Is.EqualTo(hello));
    }

    [Test]
    public async Task Splice_ServerEndsFirst_ClientMayStillSend()
    {
        using var upstream = StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        var hello = HelloBytes.WithServerName("own.home.test");
        using var client = await ConnectAsync(_door.HttpsPort);
        await client.SendAsync(hello);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        await app.SendAsync("bye"u8.ToArray());
        app.Shutdown(SocketShutdown.Send);
        var heard = await ReadToEndAsync(client);
        await client.SendAsync("late"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);

        Assert.That(Encoding.ASCII.GetString(heard), Is.EqualTo("bye"));
        Assert.That(await ReadToEndAsync(app), Is.EqualTo((byte[])[.. hello, .. "late"u8]));
    }

    [Test]
    public async Task Splice_ClientEndsFirst_ServerMayStillSend()
    {
        using var upstream = StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        var hello = HelloBytes.WithServerName("own.home.test");
        using var client = await ConnectAsync(_door.HttpsPort);
        await client.SendAsync(hello);
        client.Shutdown(SocketShutdown.Send);
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        var heard = await ReadToEndAsync(app);
        var answer = new byte[3_000_000];
        new Random(1).NextBytes(answer);
        var sending = Task.Run(async () =>
        {
            for (var sent = 0; sent < answer.Length;) sent += await app.SendAsync(answer.AsMemory(sent));
            app.Shutdown(SocketShutdown.Send);
        });

        Assert.That(heard, Is.EqualTo(hello));
        Assert.That(await ReadToEndAsync(client), Is.EqualTo(answer));
        await sending.WaitAsync(Patience);
    }

    [Test]
    public async Task Splice_AppBreaksOff_ClientSeesAReset()
    {
        using var upstream = StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        using var client = await ConnectAsync(_door.HttpsPort);
        await client.SendAsync(HelloBytes.WithServerName("own.home.test"));
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        app.LingerState = new LingerOption(true, 0);
        app.Close();

        Assert.That(async () => await ReadToEndAsync(client), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task Splice_NobodyListensUpstream_ConnectionEnds()
    {
        using (StartListening(out var port)) _door.PublishApp("own", port, ListenerFlow.Tls);
        using var client = await ConnectAsync(_door.HttpsPort);
        await client.SendAsync(HelloBytes.WithServerName("own.home.test"));

        Assert.That(async () => await ReadToEndAsync(client), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task Splice_SilentForTooLong_Ends()
    {
        await using var door = await StartAsync(new() { ["SpliceIdleTimeout"] = "00:00:00.300" });
        using var upstream = StartListening(out var port);
        door.PublishApp("own", port, ListenerFlow.Tls);
        using var client = await ConnectAsync(door.HttpsPort);
        await client.SendAsync(HelloBytes.WithServerName("own.home.test"));
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        Assert.That(async () => await ReadToEndAsync(client), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task Stop_WithAnOpenSplice_DoesNotWait()
    {
        using var upstream = StartListening(out var port);
        _door.PublishApp("own", port, ListenerFlow.Tls);
        using var client = await ConnectAsync(_door.HttpsPort);
        await client.SendAsync(HelloBytes.WithServerName("own.home.test"));
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        // The host would allow 30 s.
        Assert.That(async () => await _door.StopAsync().WaitAsync(TimeSpan.FromSeconds(10)), Throws.Nothing);
    }

    [TestCase("")]
    [TestCase("160301")]
    public async Task Peek_SilentOrPausingClient_IsCutOff(string hex)
    {
        using var client = await ConnectAsync(_door.HttpsPort);
        if (hex.Length > 0) await client.SendAsync(Convert.FromHexString(hex));

        Assert.That(await ReadToEndAsync(client), Is.Empty);
    }

    [TestCase("474554202f20485454502f312e310d0a0d0a")]
    [TestCase("160301000102")]
    [TestCase("16030140000100ffff")]
    public async Task Peek_WhatIsNoHello_EndsTheConnection(string hex)
    {
        using var client = await ConnectAsync(_door.HttpsPort);

        await client.SendAsync(Convert.FromHexString(hex));

        // As a regular end or, where bytes stayed unread, as a reset.
        try
        {
            Assert.That(await ReadToEndAsync(client), Is.Empty);
        }
        catch (SocketException reset)
        {
            Assert.That(reset.SocketErrorCode, Is.EqualTo(SocketError.ConnectionReset));
        }
    }

    internal static TcpListener StartListening(out int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return listener;
    }
}
