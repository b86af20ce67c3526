using System.Net;
using System.Net.Sockets;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Transports;
using Piccolo.Api.Ingress.Transports.TlsPort;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives.Sockets;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using Piccolo.Tests.Ingress.Tls;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Transports;

/// <summary>Accepting on the loops: who it is, what a failure does, and clients in numbers.</summary>
internal sealed class TlsPortAcceptTests : TlsPortFixture
{
    private const int AcceptFailed = 1009;
    private static readonly EndPoint Local = new IPEndPoint(IPAddress.Loopback, 0);

    [TestCase("127.0.0.1", "127.0.0.1")]
    [TestCase("::1", "::1")]
    [TestCase("::", "127.0.0.1")]
    public async Task Accept_TellsWhoItIs(string listen, string connect)
    {
        using var listening = new Socket(IPAddress.Parse(listen).AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        if (listening.AddressFamily == AddressFamily.InterNetworkV6) listening.DualMode = true;
        listening.Bind(new IPEndPoint(IPAddress.Parse(listen), 0));
        listening.Listen();
        Assert.That(SocketAccept.TryAccept(listening, out _), Is.Null, "nobody is there");
        using var client = new Socket(IPAddress.Parse(connect).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Parse(connect), ((IPEndPoint)listening.LocalEndPoint!).Port);

        using var accepted = SocketAccept.TryAccept(listening, out var told)!;

        Assert.That(told, Is.EqualTo(accepted.RemoteEndPoint), "as the runtime reads it");
        Assert.That(told!.Port, Is.EqualTo(((IPEndPoint)client.LocalEndPoint!).Port));
    }

    /// <summary>What is passed through is never asked again: the listening socket's options are all that its clients have.</summary>
    [Test]
    public async Task Clients_HaveTheOptionsOfTheirListeningSocket()
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        listening.SetClientOptions(Limits);
        listening.Bind(Local);
        listening.Listen();
        using var client = await ConnectAsync(((IPEndPoint)listening.LocalEndPoint!).Port);

        using var accepted = SocketAccept.TryAccept(listening, out _)!;

        Assert.That((accepted.NoDelay, accepted.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)), Is.EqualTo((true, (object)1)));
    }

    [Test]
    public async Task Accept_ThatFails_IsLoggedOncePerPauseHoweverManyCome()
    {
        var log = new CapturedLog();
        // Bound, but not listening: to accept there is an error, as it is without descriptors.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        deaf.Bind(Local);
        using var acceptor = new TlsPortAcceptor(deaf, Loop, Door.Get<TlsPortClients>(), Port, Time, log.CreateLogger("test"));

        for (var i = 0; i < 10; i++) await OnLoopAsync(() => ((ISocketWatcher)acceptor).OnReady(SocketReadiness.Readable));
        Assert.That(log.Count(AcceptFailed), Is.EqualTo(1));

        await AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.That(log.Count(AcceptFailed), Is.EqualTo(2));
    }

    [Test]
    public async Task Clients_ManyAtOnce_AreAllServed()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        Door.PublishApp("own", port, ListenerFlow.Tls);
        var hello = HelloBytes.WithServerName("own.home.test");
        var clients = new List<Socket>();
        var served = new List<Socket>();
        try
        {
            for (var i = 0; i < 256; i++) clients.Add(await ConnectAsync(Door.HttpsPort));
            await Task.WhenAll(clients.Select(c => c.SendAsync(hello)));

            while (served.Count < clients.Count) served.Add(await upstream.AcceptSocketAsync().WaitAsync(Patience));
        }
        finally
        {
            served.ForEach(s => s.Dispose());
            clients.ForEach(c => c.Dispose());
        }
    }

    [Test]
    public async Task Stop_EndsWhatIsPassedThrough()
    {
        using var upstream = PassThroughTests.StartListening(out var port);
        Door.PublishApp("own", port, ListenerFlow.Tls);
        using var client = await ConnectAsync(Door.HttpsPort);
        await client.SendAsync(HelloBytes.WithServerName("own.home.test"));
        using var app = await upstream.AcceptSocketAsync().WaitAsync(Patience);

        await Door.StopAsync();

        Assert.That(async () => await TlsTerminationTests.ReadToEndAsync(client).WaitAsync(Patience), Throws.InstanceOf<SocketException>());
    }
}
