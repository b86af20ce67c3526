using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.PassThrough;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.Tls;

namespace Piccolo.Tests.Ingress.PassThrough;

internal sealed class SocketSpliceTests
{
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private SocketLoop _loop = null!;
    private Socket _client = null!;
    private Socket _app = null!;
    private SocketSplice _splice = null!;
    private Task<SpliceResult> _running = null!;

    [SetUp]
    public async Task SetUp()
    {
        _loop = new SocketLoop("test", NullLogger.Instance);
        (_client, var clientSide) = await PairAsync();
        (_app, var appSide) = await PairAsync();
        _splice = new SocketSplice(clientSide, appSide, IdleTimeout, _loop, _time);
        _running = _splice.RunAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        _splice.End(SpliceEnd.Stopped);
        await _running.WaitAsync(FrontDoor.Patience);
        _running.Dispose();
        _splice.Dispose();
        _client.Dispose();
        _app.Dispose();
        _loop.Dispose();
    }

    [Test]
    public async Task Run_MuchBothWaysAtOnce_ArrivesWholeAndIsCounted()
    {
        var up = RandomBytes(3_000_001, seed: 1);
        var down = RandomBytes(5_000_003, seed: 2);

        var sending = Task.WhenAll(SendAllAsync(_client, up), SendAllAsync(_app, down));
        var received = await Task.WhenAll(TlsTerminationTests.ReadToEndAsync(_app), TlsTerminationTests.ReadToEndAsync(_client)).WaitAsync(FrontDoor.Patience);
        await sending;

        Assert.That(received[0], Is.EqualTo(up));
        Assert.That(received[1], Is.EqualTo(down));
        Assert.That(await _running.WaitAsync(FrontDoor.Patience), Is.EqualTo(new SpliceResult(SpliceEnd.Completed, up.Length, down.Length)));
    }

    [Test]
    public async Task Run_BothSidesEnd_GoesOnOnTheLoopsThread()
    {
        var (client, clientSide) = await PairAsync();
        var (app, appSide) = await PairAsync();
        using var ofClient = clientSide;
        using var ofApp = appSide;
        using var splice = new SocketSplice(clientSide, appSide, IdleTimeout, _loop, _time);
        // As in the server: without the context of a test, to which every await would go back.
        var running = await Task.Factory.StartNew(splice.RunAsync, CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
        var after = running.ContinueWith(_ => SocketLoop.Current, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        client.Dispose();
        app.Dispose();

        Assert.That(await after.WaitAsync(FrontDoor.Patience), Is.SameAs(_loop));
    }

    [Test]
    public async Task Run_BusyThenQuietThenBusyAgain_LosesNothing()
    {
        for (var pause = 0; pause < 3; pause++)
        {
            for (byte message = 0; message < 20; message++) await PassAsync(_client, _app, message);
            _time.Advance(IdleTimeout / 2);
        }
        await PassAsync(_app, _client, 77);

        Assert.That(_running.IsCompleted, Is.False);
    }

    [Test]
    public async Task Run_ReceiverThatDoesNotRead_HoldsTheSenderBackAndLosesNothing()
    {
        var down = RandomBytes(48_000_000, seed: 3);
        var sending = SendAllAsync(_app, down);

        // The other direction, on the same loop, is not held up by it.
        for (byte message = 0; message < 20; message++) await PassAsync(_client, _app, message);
        Assert.That(sending.IsCompleted, Is.False, "nobody has taken a byte of it");
        Assert.That(_splice.Held, Is.LessThanOrEqualTo(SpliceDirection.Piece), "the rest is the kernel's to hold");
        var received = await TlsTerminationTests.ReadToEndAsync(_client).WaitAsync(FrontDoor.Patience);
        await sending;

        Assert.That(received.AsSpan().SequenceEqual(down), Is.True);
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task Run_InAnyPortionsToAReceiverThatPauses_LosesAndRepeatsNothing(int seed)
    {
        var sent = RandomBytes(6_000_000, seed);
        var random = new Random(seed);
        var sending = Task.Run(async () =>
        {
            for (var at = 0; at < sent.Length;)
            {
                // Now less than a piece, now much more.
                var count = Math.Min(random.Next(8) == 0 ? random.Next(1, 900_000) : random.Next(1, 20_000), sent.Length - at);
                at += await _app.SendAsync(sent.AsMemory(at, count));
            }
            _app.Shutdown(SocketShutdown.Send);
        });
        var received = new List<byte>();
        var buffer = new byte[300_000];
        var portions = new Random(seed + 100);
        for (int count; (count = await _client.ReceiveAsync(buffer.AsMemory(0, portions.Next(1, buffer.Length)), SocketFlags.None).AsTask()
            .WaitAsync(FrontDoor.Patience)) > 0;)
        {
            received.AddRange(buffer[..count]);
            if (portions.Next(50) == 0) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        }
        await sending;

        Assert.That(received.SequenceEqual(sent), Is.True);
    }

    [Test]
    public async Task Run_BesideOneThatNeverPauses_IsServedToo()
    {
        var (client, clientSide) = await PairAsync();
        var (app, appSide) = await PairAsync();
        using var other = new SocketSplice(clientSide, appSide, IdleTimeout, _loop, _time);
        var running = other.RunAsync();
        using var enough = new CancellationTokenSource();
        var sending = SendUntilAsync(client, enough.Token);
        var receiving = CountAsync(app);

        for (byte message = 0; message < 50; message++) await PassAsync(_client, _app, message);
        await enough.CancelAsync();

        Assert.That(await receiving.WaitAsync(FrontDoor.Patience), Is.EqualTo(await sending).And.GreaterThan(1_000_000));
        client.Dispose();
        app.Dispose();
        await running.WaitAsync(FrontDoor.Patience);
    }

    [Test]
    public async Task Run_BesideThoseThatBreakOffInTheMidstOfBulk_GetsNoByteOfTheirs()
    {
        var own = RandomBytes(8_000_000, seed: 4);
        for (var i = 0; i < 20; i++)
        {
            var (client, clientSide) = await PairAsync();
            var (app, appSide) = await PairAsync();
            using var ofClient = clientSide;
            using var ofApp = appSide;
            using var other = new SocketSplice(clientSide, appSide, IdleTimeout, _loop, _time);
            var running = other.RunAsync();
            // Zeros, of which the client takes some and then goes with the rest on the way.
            var sending = SendAllAsync(app, new byte[4_000_000]);
            for (int taken = 0, got = 1; got > 0 && taken < 1_000_000; taken += got) got = await client.ReceiveAsync(new byte[64 * 1024]);
            client.Break();
            Assert.That((await running.WaitAsync(FrontDoor.Patience)).End, Is.EqualTo(SpliceEnd.Reset));
            app.Dispose();
            // All of it may have been taken by then.
            await sending.ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(FrontDoor.Patience);
        }

        var writing = SendAllAsync(_app, own);
        var received = await TlsTerminationTests.ReadToEndAsync(_client).WaitAsync(FrontDoor.Patience);
        await writing;

        Assert.That(received.AsSpan().SequenceEqual(own), Is.True);
    }

    [Test]
    public async Task Run_ClientBreaksOff_TheAppSeesABreak()
    {
        await PassAsync(_client, _app, 1);

        _client.LingerState = new LingerOption(true, 0);
        _client.Dispose();

        Assert.That((await _running.WaitAsync(FrontDoor.Patience)).End, Is.EqualTo(SpliceEnd.Reset));
        Assert.That(async () => await TlsTerminationTests.ReadToEndAsync(_app), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task Run_SilentForTooLong_EndsAsABreak()
    {
        await PassAsync(_client, _app, 1);

        _time.Advance(IdleTimeout + TimeSpan.FromSeconds(1));

        Assert.That((await _running.WaitAsync(FrontDoor.Patience)).End, Is.EqualTo(SpliceEnd.Idle));
        Assert.That(async () => await TlsTerminationTests.ReadToEndAsync(_client), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task Run_AByteNowAndThen_KeepsItOpen()
    {
        for (byte message = 0; message < 5; message++)
        {
            _time.Advance(IdleTimeout - TimeSpan.FromSeconds(1));
            await PassAsync(_client, _app, message);
        }

        Assert.That(_running.IsCompleted, Is.False);
    }

    [Test]
    public async Task End_Twice_KeepsTheFirstReason()
    {
        _splice.End(SpliceEnd.Stopped);
        _splice.End(SpliceEnd.Reset);

        Assert.That((await _running.WaitAsync(FrontDoor.Patience)).End, Is.EqualTo(SpliceEnd.Stopped));
    }

    internal static async Task<(Socket Near, Socket Far)> PairAsync()
    {
        using var listener = PassThroughTests.StartListening(out var port);
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var accepting = listener.AcceptSocketAsync();
        await near.ConnectAsync(IPAddress.Loopback, port);
        var far = await accepting.WaitAsync(FrontDoor.Patience);
        far.NoDelay = true;
        return (near, far);
    }

    private static async Task PassAsync(Socket from, Socket to, byte message)
    {
        await from.SendAsync(new[] { message });
        var got = new byte[2];
        var count = await to.ReceiveAsync(got.AsMemory(), SocketFlags.None).AsTask().WaitAsync(FrontDoor.Patience);
        Assert.That(got[..count], Is.EqualTo(new[] { message }));
    }

    private static async Task SendAllAsync(Socket socket, byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;) sent += await socket.SendAsync(bytes.AsMemory(sent));
        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<long> CountAsync(Socket socket)
    {
        var buffer = new byte[64 * 1024];
        long all = 0;
        for (int count; (count = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None)) > 0;) all += count;
        return all;
    }

    private static async Task<long> SendUntilAsync(Socket socket, CancellationToken enough)
    {
        var chunk = new byte[256 * 1024];
        long all = 0;
        while (!enough.IsCancellationRequested) all += await socket.SendAsync(chunk, CancellationToken.None);
        socket.Shutdown(SocketShutdown.Send);
        return all;
    }

    internal static byte[] RandomBytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
