using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Transports.LanPorts;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.EventLoop;

/// <summary>Clients that ask for much and take none of it.</summary>
[Category("Timing")]
internal sealed class SlowReaderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly byte[] Ask = "GET / HTTP/1.1\r\nHost: web.home.test\r\n\r\n"u8.ToArray();

    private FrontDoor _door = null!;
    private FakeApp _app = null!;
    private TaskCompletionSource _ended = null!;
    private TaskCompletionSource _began = null!;

    [SetUp]
    public async Task SetUp()
    {
        (_began, _ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        _door = await StartAsync(new() { ["SendTimeout"] = "00:00:02" });
        _app = await FakeApp.StartAsync(async c =>
        {
            var much = new byte[64 * 1024];
            _began.TrySetResult();
            try
            {
                while (true) await c.Response.Body.WriteAsync(much, c.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                _ended.TrySetResult();
            }
        });
        _door.PublishApp("web", _app.Port);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _door.DisposeAsync();
        await _app.DisposeAsync();
    }

    [Test]
    public async Task Http1_OverTls_IsEnded()
    {
        using var tls = await _door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Ask);

        await _ended.Task.WaitAsync(Patience);
    }

    [Test]
    public async Task Http1_OnALanPort_IsEnded()
    {
        var ports = await _door.OpenLanPortsAsync(Listener("web", _app.Port));
        using var client = await ConnectAsync(ports[0]);
        await client.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));

        await _ended.Task.WaitAsync(Patience);
    }

    [Test]
    public async Task Http2_WithAClosedWindow_IsEnded()
    {
        using var client = _door.ClientFor(_door.HttpsPort);
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://web.home.test/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        // Reads the head, and of the content as much as its window has room for.
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        await _ended.Task.WaitAsync(Patience);
    }

    /// <summary>Each piece is a write of its own: the first that finds the window closed starts the server's deadline, and the next one stops it.</summary>
    [Test]
    public async Task Http2_WithAClosedWindow_OfManyWrites_IsEnded()
    {
        await using var app = await FakeApp.StartAsync(async c =>
        {
            try
            {
                while (true)
                {
                    await c.Response.Body.WriteAsync(new byte[1024], c.RequestAborted);
                    await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, c.RequestAborted);
                }
            }
            catch (OperationCanceledException)
            {
                _ended.TrySetResult();
            }
        });
        _door.PublishApp("pieces", app.Port);
        using var client = _door.ClientFor(_door.HttpsPort);
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://pieces.home.test/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        await _ended.Task.WaitAsync(Patience);
    }

    [Test]
    public async Task ThroughTheTunnel_IsEnded()
    {
        var stream = _door.Tunnel.Open("web.home.test", 443, true, IPEndPoint.Parse("198.51.100.7:2"));
        using var tls = new SslStream(stream.User);
        await _door.HandshakeAsync(tls, "web.home.test");
        await tls.WriteAsync(Ask);

        await _ended.Task.WaitAsync(Patience);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Splice_OfARawListener_IsEnded(bool throughTheTunnel)
    {
        using var raw = new RawApp();
        _door.PublishApp("raw", raw.Port, ListenerFlow.Tcp, ListenerProtocol.Raw);
        using var tls = throughTheTunnel
            ? new SslStream(_door.Tunnel.Open("raw.home.test", 443, true, IPEndPoint.Parse("198.51.100.7:2")).User)
            : new SslStream(new NetworkStream(await ConnectAsync(_door.HttpsPort), ownsSocket: true));
        await _door.HandshakeAsync(tls, "raw.home.test");
        using var connection = await raw.AcceptAsync();

        await UntilRefusedAsync(connection);
    }

    [Test]
    public async Task PassThrough_IsEnded()
    {
        using var raw = new RawApp();
        var ports = await _door.OpenLanPortsAsync(Listener("raw", raw.Port, ListenerFlow.Tcp, ListenerProtocol.Raw));
        using var client = await ConnectAsync(ports[0]);
        using var connection = await raw.AcceptAsync();

        await UntilRefusedAsync(connection);
    }

    [Test]
    public async Task Http1_ReadingALittleNowAndThen_IsNotEnded()
    {
        using var tls = await _door.ConnectTlsAsync("web.home.test");
        await tls.WriteAsync(Ask);
        var buffer = new byte[1_000_000];
        for (var i = 0; i < 6; i++)
        {
            await tls.ReadAtLeastAsync(buffer, buffer.Length).AsTask().WaitAsync(Patience);
            await Task.Delay(Second, TimeProvider.System);
        }

        Assert.That(_ended.Task.IsCompleted, Is.False);
    }

    [Test]
    public async Task Clients_OfAListeningSocket_AreProbedByTheKernel()
    {
        const int tcp = 6, userTimeout = 18;
        var accepted = new TaskCompletionSource<Socket>();
        var options = new IngressOptions { ListenAddress = "127.0.0.1" };
        await using var port = LanPort.Bind(Listener("web", 1), options, (socket, _, _) => accepted.TrySetResult(socket), TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var client = await ConnectAsync(port.Port);
        using var socket = await accepted.Task.WaitAsync(Patience);
        var timeout = new byte[4];
        socket.GetRawSocketOption(tcp, userTimeout, timeout);

        Assert.That(socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive), Is.Not.EqualTo(0));
        Assert.That(socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime), Is.EqualTo(120));
        Assert.That(socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval), Is.EqualTo(30));
        Assert.That(BitConverter.ToInt32(timeout), Is.EqualTo(300_000));
    }

    /// <summary>Sends to a client that takes nothing, until the connection is ended.</summary>
    private static async Task UntilRefusedAsync(RawAppConnection connection)
    {
        var much = new byte[256 * 1024];
        Assert.That(async () =>
        {
            while (true) await connection.SendAsync(much).WaitAsync(Patience);
        }, Throws.InstanceOf<SocketException>());
        await Task.CompletedTask;
    }
}
