using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Fakes;
using static Piccolo.Tests.Ingress.FrontDoor;

namespace Piccolo.Tests.Ingress;

/// <summary>Connections that are there before their clients: how many, who gets one, and what becomes of those for whom nobody comes.</summary>
internal sealed class PostedConnectionTests : PeekFixture
{
    private const int Most = 32;
    private const int AcceptFailed = 1009;
    private static readonly EndPoint Local = new IPEndPoint(IPAddress.Loopback, 0);

    private SocketLoops _loops = null!;
    private SocketConnections _connections = null!;
    private PostedConnections _posted = null!;
    private Socket _listening = null!;
    private LoopAcceptor _acceptor = null!;

    [SetUp]
    public void SetUp()
    {
        _loops = new SocketLoops(NullLogger<SocketLoops>.Instance, 1);
        _connections = new SocketConnections(_loops, new BlockPool());
        _posted = new PostedConnections(Local, _connections);
        _listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        _listening.Bind(Local);
        _listening.Listen();
        _acceptor = new LoopAcceptor(Local, _listening, _loops.All[0], _posted, NewAdmission(), TimeProvider.System, NullLogger.Instance);
    }

    [TearDown]
    public void TearDown()
    {
        _acceptor.Dispose();
        _listening.Dispose();
        _posted.Close();
        _loops.Dispose();
    }

    [Test]
    public async Task Posting_StopsAtTheMostAndGoesOnWhenFewAreLeft()
    {
        for (var i = 0; i < Most; i++) Assert.That(_posted.PostAsync().AsTask().IsCompleted, Is.True);
        var next = _posted.PostAsync().AsTask();

        for (var i = 0; i < Most / 2 - 1; i++) Assert.That(_posted.TakeFor(_acceptor), Is.Not.Null);
        Assert.That(next.IsCompleted, Is.False, "more than half are left");
        Assert.That(_posted.TakeFor(_acceptor), Is.Not.Null);

        Assert.That(await next.WaitAsync(Patience), Is.Not.Null);
    }

    [Test]
    public async Task Client_WhoComesBeforeAConnection_GetsTheFirstThatIsPosted()
    {
        using var client = await ClientAsync();
        var connection = (await _posted.PostAsync())!;

        Assert.That(await connection.ArrivalAsync().WaitAsync(Patience), Is.True);
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(client.LocalEndPoint));
        Assert.That(connection.LocalEndPoint, Is.EqualTo(client.RemoteEndPoint));
        await connection.DisposeAsync();
    }

    [Test]
    public async Task Client_ArrivesOnTheLoopsThread()
    {
        var connection = (await _posted.PostAsync())!;
        var arrived = connection.ArrivalAsync().ContinueWith(_ => SocketLoop.Current, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        using var client = await ClientAsync();

        Assert.That(await arrived.WaitAsync(Patience), Is.SameAs(_loops.All[0]));
        await connection.DisposeAsync();
    }

    [Test]
    public async Task Close_TellsWhoWaitsThatNobodyComes()
    {
        for (var i = 1; i < Most; i++) _ = await _posted.PostAsync();
        var last = (await _posted.PostAsync())!;
        var next = _posted.PostAsync().AsTask();

        _posted.Close();

        Assert.That(await last.ArrivalAsync().WaitAsync(Patience), Is.False);
        Assert.That(await next.WaitAsync(Patience), Is.Null);
        Assert.That(await _posted.PostAsync(), Is.Null);
    }

    [Test]
    public async Task Abort_BeforeTheClient_TurnsItAway()
    {
        var connection = (await _posted.PostAsync())!;
        connection.Abort(new ConnectionAbortedException());

        using var client = await ClientAsync();

        Assert.That(await connection.ArrivalAsync().WaitAsync(Patience), Is.False);
        Assert.That(async () => await client.ReceiveAsync(new byte[1]).WaitAsync(Patience), Throws.InstanceOf<SocketException>(), "a break");
    }

    [Test]
    public async Task Client_WhoSaysNothingUseful_TakesNoConnectionAway([Values] bool breaks)
    {
        // One of them: it goes on waiting, however many come and go.
        var connection = (await _posted.PostAsync())!;
        for (var i = 0; i < Most * 2; i++)
        {
            using var useless = await ClientAsync(100);
            if (breaks) useless.Break();
        }
        using var client = await ClientAsync();

        Assert.That(await connection.ArrivalAsync().WaitAsync(Patience), Is.True);
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(client.LocalEndPoint));
        await connection.DisposeAsync();
    }

    [Test]
    public async Task Client_WhoseHelloIsWholeBeforeAConnectionIsThere_GetsTheFirstThatIsPosted()
    {
        using var slow = await AwaitedClientAsync();

        await slow.SendAsync(HelloBytes.Example.AsMemory(100));
        var after = new Marker();
        _loops.All[0].Post(after);
        await after.Reached.Task.WaitAsync(Patience);
        var connection = (await _posted.PostAsync())!;

        Assert.That(await connection.ArrivalAsync().WaitAsync(Patience), Is.True);
        Assert.That((connection.RemoteEndPoint, connection.Hello?.ServerName, connection.AwaitedSince is not null), Is.EqualTo((slow.LocalEndPoint, "app.example.test", true)));
        await connection.DisposeAsync();
    }

    [Test]
    public async Task Dispose_SendsWhoIsAwaitedAway()
    {
        using var slow = await AwaitedClientAsync();

        _acceptor.Dispose();

        Assert.That(async () => await slow.ReceiveAsync(new byte[1]).WaitAsync(Patience), Throws.InstanceOf<SocketException>(), "its bytes were never read");
    }

    [Test]
    public async Task Accept_ThatFails_IsToldOnceAPauseHoweverManyCome()
    {
        var (time, log) = (new FakeTimeProvider(), new CapturedLog());
        // Bound, but not listening: to accept there is an error, as it is without descriptors.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        deaf.Bind(Local);
        using var acceptor = new LoopAcceptor(Local, deaf, _loops.All[0], _posted, NewAdmission(), time, log.CreateLogger("test"));
        _ = await _posted.PostAsync();

        for (var i = 0; i < 10; i++) await LookAsync();
        Assert.That(log.Count(AcceptFailed), Is.EqualTo(1));

        time.Advance(TimeSpan.FromSeconds(1));
        await LookAsync();
        Assert.That(log.Count(AcceptFailed), Is.EqualTo(2));

        Task LookAsync()
        {
            acceptor.GoOn();
            var after = new Marker();
            _loops.All[0].Post(after);
            return after.Reached.Task.WaitAsync(Patience);
        }
    }

    [TestCase("127.0.0.1", "127.0.0.1")]
    [TestCase("::1", "::1")]
    [TestCase("::", "127.0.0.1")]
    public async Task Accept_TellsWhoItIs(string listen, string connect)
    {
        using var listening = new Socket(IPAddress.Parse(listen).AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        if (listening.AddressFamily == AddressFamily.InterNetworkV6) listening.DualMode = true;
        listening.Bind(new IPEndPoint(IPAddress.Parse(listen), 0));
        listening.Listen();
        using var client = new Socket(IPAddress.Parse(connect).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Parse(connect), ((IPEndPoint)listening.LocalEndPoint!).Port);

        using var accepted = SocketAccept.TryAccept(listening)!;
        var told = accepted.RemoteEndPoint;
        using var socket = accepted.ToSocket();

        Assert.That(told, Is.EqualTo(socket.RemoteEndPoint), "as the runtime reads it");
        Assert.That(told.Port, Is.EqualTo(((IPEndPoint)client.LocalEndPoint!).Port));
        Assert.That(accepted.ToSocket, Throws.InstanceOf<ObjectDisposedException>(), "it was given away");
    }

    [Test]
    public void Accept_OfNobody_ReturnsAtOnce() => Assert.That(SocketAccept.TryAccept(_listening), Is.Null);

    [Test]
    public async Task Clients_MoreAtOnceThanConnectionsWerePosted_AreAllServed()
    {
        await using var door = await StartAsync();
        using var upstream = PassThroughTests.StartListening(out var port);
        door.PublishApp("own", port, ListenerFlow.Tls);
        var hello = HelloBytes.WithServerName("own.home.test");
        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < Most * 8; i++) clients.Add(await ConnectAsync(door.HttpsPort));
            await Task.WhenAll(clients.Select(c => c.SendAsync(hello)));

            var served = new List<Socket>();
            try
            {
                while (served.Count < clients.Count) served.Add(await upstream.AcceptSocketAsync().WaitAsync(Patience));
            }
            finally
            {
                served.ForEach(s => s.Dispose());
            }
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    [Test]
    public async Task Client_WhoSaysNothing_IsStillCutOff()
    {
        await using var door = await StartAsync(new() { ["PeekFirstByteTimeout"] = "00:00:00.200" });
        using var silent = await ConnectAsync(door.HttpsPort);

        Assert.That(await silent.ReceiveAsync(new byte[1]).WaitAsync(Patience), Is.Zero);
    }

    [Test]
    public async Task Stop_WaitsForNobodyWhoHasNotCome()
    {
        var door = await StartAsync();
        using (var client = await ConnectAsync(door.HttpsPort)) await client.SendAsync("no TLS"u8.ToArray());

        await door.DisposeAsync().AsTask().WaitAsync(Patience);
    }

    /// <summary>One of whose hello a part is there, and seen.</summary>
    private async Task<Socket> AwaitedClientAsync()
    {
        var slow = await ClientAsync(100);
        // It is awaited when the next one, who came behind it, is served.
        await using var connection = (await _posted.PostAsync())!;
        using var next = await ClientAsync();
        Assert.That(await connection.ArrivalAsync().WaitAsync(Patience), Is.True);
        return slow;
    }

    /// <param name="length">How much of its hello is there; null: the whole.</param>
    private async Task<Socket> ClientAsync(int? length = null)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(_listening.LocalEndPoint!);
        await client.SendAsync(HelloBytes.Example.AsMemory(0, length ?? HelloBytes.Example.Length));
        return client;
    }

    private sealed class Marker : ISocketWatcher
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool OnReady(SocketReadiness readiness)
        {
            Reached.TrySetResult();
            return false;
        }
    }
}
