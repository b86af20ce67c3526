using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.Sockets;
using Piccolo.Core.Tunnel;
using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Core.Tunnel;

/// <summary>A relay, the tunnel under test behind it, and an app in this process that serves every stream as its passage says.</summary>
internal sealed class RelayedApp : IAsyncDisposable
{
    private const string Host = "web.home.test";
    private const int Mark = 4;

    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly byte[] Hello = TestHellos.Named(Host);
    private static readonly byte[] Head = RelayFixture.Get(Host);

    private readonly ConcurrentDictionary<int, Passage> _passages = new();
    private readonly ConcurrentQueue<WeakReference> _served = [];
    private readonly CancellationTokenSource _stop = new();
    private Task _accepting = Task.CompletedTask;

    private RelayedApp(Relay relay, TunnelUnderTest under) => (Relay, Under) = (relay, under);

    public Relay Relay { get; }

    public TunnelUnderTest Under { get; }

    public static async Task<RelayedApp> StartAsync(
        Action<TunnelOptions>? configure = null, Action<RelayOptions>? set = null, TimeProvider? time = null)
    {
        var relay = await RelayFixture.StartAsync(options =>
        {
            options.Secret = TunnelUnderTest.Secret;
            set?.Invoke(options);
        });
        var app = new RelayedApp(relay, new TunnelUnderTest(options =>
        {
            options.TailConfirmation = new TunnelOptions().TailConfirmation;
            configure?.Invoke(options);
        }, time: time));
        app.Under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.HubUri, Host));
        await app.Under.UntilAsync(status => status.State == TunnelState.Online);
        app._accepting = app.AcceptAsync();
        return app;
    }

    /// <summary>The user's part.</summary>
    /// <param name="bytesPerSecond">How fast the user reads.</param>
    /// <returns>What went wrong, or null.</returns>
    public async Task<string?> PassAsync(Passage passage, int bytesPerSecond = int.MaxValue)
    {
        _passages[passage.Number] = passage;
        try
        {
            using var user = await Relay.KnockAsync([], passage.IsTls ? 443 : 80);
            byte[] opening = [.. passage.IsTls ? Hello : Head, .. BitConverter.GetBytes(passage.Number)];
            await SendAsync(user, opening);
            var wrong = await ActAsync(user, passage, bytesPerSecond);
            return wrong is null ? null : $"{passage}: {wrong}";
        }
        catch (Exception failure) when (failure is SocketException or TimeoutException or OperationCanceledException)
        {
            return $"{passage}: {failure.GetType().Name} {failure.Message}";
        }
        finally
        {
            _passages.TryRemove(passage.Number, out _);
        }
    }

    /// <summary>A user whose stream the relay has opened and the tunnel granted its window.</summary>
    public async Task<Socket> StallAsync(Passage passage)
    {
        _passages[passage.Number] = passage;
        var user = await Relay.KnockAsync([.. Hello, .. BitConverter.GetBytes(passage.Number)]);
        await UntilAsync(() => Relay.Sessions().Any(session => session.Streams.Any(stream => stream.ForwardCredits is not null)));
        return user;
    }

    /// <summary>Looks again every 20 ms of real time, because neither side tells when a stream is gone.</summary>
    public static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!holds()) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, limit.Token);
    }

    /// <summary>How many of the streams that were ever served something still holds, and with them their pipes, credits and ledgers.</summary>
    public int CountHeld()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return _served.Count(stream => stream.IsAlive);
    }

    /// <summary>Nothing of any stream is left on either side.</summary>
    public Task UntilEmptyAsync() =>
        UntilAsync(() => Under.Tunnel.Status is { Streams: 0, BufferedBytes: 0 } && Relay.Sessions().All(session => session.Streams.Count == 0));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        await Under.DisposeAsync();
        await Relay.DisposeAsync();
        _stop.Dispose();
    }

    private static async Task<string?> ActAsync(Socket user, Passage passage, int bytesPerSecond)
    {
        var payload = passage.Payload();
        switch (passage.Course)
        {
            case Course.Download or Course.HalfClosedDownload:
                return Differs("got", payload, await ReadAsync(user, int.MaxValue, bytesPerSecond));
            case Course.Upload or Course.AnsweredUpload:
                if (passage.Course == Course.AnsweredUpload) await ReadAsync(user, 1);
                await SendAsync(user, payload);
                user.Shutdown(SocketShutdown.Send);
                return Differs("app got", payload, await passage.Received.WaitAsync(Patience));
            case Course.Echo:
                var sending = SendAsync(user, payload);
                var echoed = await ReadAsync(user, passage.Size);
                await sending;
                return Differs("got back", payload, echoed);
            case Course.AbortedUpload:
                // An empty payload has nothing to break off.
                await SendAsync(user, payload.AsMemory(0, Part(passage.Size)));
                if (passage.Size > 0) await passage.Begun.WaitAsync(Patience);
                Reset(user);
                return IsPrefix("app got", payload, await passage.Received.WaitAsync(Patience), atLeast: Math.Min(1, passage.Size));
            default:
                var part = await ReadAsync(user, Math.Max(1, Part(passage.Size)));
                Reset(user);
                return IsPrefix("got", payload, part, atLeast: Part(passage.Size));
        }
    }

    private async Task AcceptAsync()
    {
        var serving = new ConcurrentDictionary<Task, bool>();
        try
        {
            while (await Under.Tunnel.AcceptAsync(_stop.Token) is { } stream)
            {
                _served.Enqueue(new WeakReference(stream));
                var task = Task.Run(() => ServeAsync(stream));
                serving[task] = true;
                _ = task.ContinueWith(done => serving.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
        await Task.WhenAll(serving.Keys);
    }

    private async Task ServeAsync(ITunnelStream stream)
    {
        await using var _ = stream;
        try
        {
            var opening = await stream.Input.ReadAtLeastAsync(1);
            if (opening.Buffer.IsEmpty) return;
            var isTls = opening.Buffer.FirstSpan[0] == 0x16;
            stream.Input.AdvanceTo(opening.Buffer.Start);
            var length = (isTls ? Hello : Head).Length + Mark;
            var head = await stream.Input.ReadAtLeastAsync(length);
            if (head.Buffer.Length < length) return;
            var number = BinaryPrimitives.ReadInt32LittleEndian(head.Buffer.Slice(length - Mark, Mark).ToArray());
            stream.Input.AdvanceTo(head.Buffer.GetPosition(length));
            if (_passages.TryGetValue(number, out var passage)) await ServeAsync(stream, passage);
        }
        catch (IOException)
        {
            // The stream was ended from outside; whoever wanted its bytes has looked already.
        }
    }

    private static async Task ServeAsync(ITunnelStream stream, Passage passage)
    {
        switch (passage.Course)
        {
            case Course.Download or Course.AbortedDownload:
                await WriteAsync(stream.Output, passage);
                break;
            case Course.HalfClosedDownload:
                await WriteAsync(stream.Output, passage);
                await stream.Output.CompleteAsync();
                await stream.Input.CopyToAsync(Stream.Null);
                break;
            case Course.Echo:
                await stream.Input.CopyToAsync(stream.Output);
                break;
            default:
                if (passage.Course == Course.AnsweredUpload) await stream.Output.WriteAsync(new byte[1]);
                using (var all = new MemoryStream())
                {
                    try
                    {
                        for (var isOver = false; !isOver;)
                        {
                            var read = await stream.Input.ReadAsync();
                            foreach (var segment in read.Buffer) all.Write(segment.Span);
                            stream.Input.AdvanceTo(read.Buffer.End);
                            if (all.Length > 0) passage.OnBegun();
                            isOver = read.IsCompleted;
                        }
                    }
                    finally
                    {
                        passage.OnReceived(all.ToArray());
                    }
                }
                break;
        }
    }

    /// <summary>In blocks of odd sizes, so that messages and blocks never coincide.</summary>
    private static async Task WriteAsync(PipeWriter output, Passage passage)
    {
        var payload = passage.Payload();
        for (var at = 0; at < payload.Length;)
        {
            var block = Math.Min(payload.Length - at, 1 + (((passage.Number * 7919) + at) % 50_000));
            if ((await output.WriteAsync(payload.AsMemory(at, block))).IsCompleted) return;
            at += block;
        }
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes, limit.Token)..];
    }

    private static async Task<byte[]> ReadAsync(Socket socket, int atMost, int bytesPerSecond = int.MaxValue)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var all = new MemoryStream();
        var began = Stopwatch.GetTimestamp();
        var buffer = ArrayPool<byte>.Shared.Rent(65_536);
        try
        {
            while (all.Length < atMost)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, atMost - all.Length)), limit.Token);
                if (read == 0) break;
                all.Write(buffer, 0, read);
                var ahead = TimeSpan.FromSeconds((double)all.Length / bytesPerSecond) - Stopwatch.GetElapsedTime(began);
                if (ahead > TimeSpan.FromMilliseconds(20)) await Task.Delay(ahead, TimeProvider.System, limit.Token);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return all.ToArray();
    }

    private static void Reset(Socket user)
    {
        user.LingerState = new LingerOption(true, 0);
        user.Close();
    }

    private static string? Differs(string what, byte[] expected, byte[] actual) =>
        System.Security.Cryptography.SHA256.HashData(expected).AsSpan().SequenceEqual(System.Security.Cryptography.SHA256.HashData(actual))
            ? null : $"{what} {actual.Length} of {expected.Length} bytes{(IsPrefix("", expected, actual, atLeast: 0) is null ? "" : ", changed")}";

    private static string? IsPrefix(string what, byte[] expected, byte[] actual, int atLeast) =>
        actual.Length < atLeast ? $"{what} {actual.Length} bytes, not even {atLeast}"
        : expected.AsSpan().StartsWith(actual) ? null : $"{what} {actual.Length} bytes that are no prefix of the {expected.Length}";

    /// <summary>What passes before an abort.</summary>
    private static int Part(int size) => Math.Min(size, Math.Max(1, size / 2));
}
