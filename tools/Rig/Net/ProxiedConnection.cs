using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Piccolo.Rig.Net;

/// <summary>
/// One connection through a <see cref="TcpProxy"/>: each way a reader that stamps what
/// it reads, and a writer that lets it go when its time has come.
/// </summary>
internal sealed class ProxiedConnection(TcpProxy proxy, Socket client) : IDisposable
{
    private const int Chunk = 64 * 1024;
    private const int SlowChunk = 16 * 1024;

    /// <summary>So much may be on its way at once: more than any window of the tunnel's.</summary>
    private const int InFlight = 1024;

    private static readonly TimeSpan ShortWhile = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    private readonly Socket _upstream = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly CancellationTokenSource _ended = new();
    private readonly Free _upFree = new();
    private readonly Free _downFree = new();
    private long _allowance = long.MaxValue;

    public void CutAfter(int bytes) => Interlocked.Exchange(ref _allowance, bytes);

    public void Cut()
    {
        // Without lingering the close is a reset, as a dying router or process gives it.
        foreach (var socket in (Socket[])[client, _upstream])
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // It has gone already.
            }
            socket.Dispose();
        }
        _ended.Cancel();
    }

    public async Task RunAsync(IPEndPoint target, CancellationToken stop)
    {
        using var ending = stop.Register(Cut);
        try
        {
            client.NoDelay = true;
            while (proxy.Hang) await Task.Delay(LookAgain, TimeProvider.System, _ended.Token);
            if (proxy.ReceiveBuffer > 0) _upstream.ReceiveBufferSize = proxy.ReceiveBuffer;
            await _upstream.ConnectAsync(target, _ended.Token);
            await Task.WhenAll(CarryAsync(client, _upstream, isDown: false), CarryAsync(_upstream, client, isDown: true));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Either side has gone, or the connection was cut.
        }
        finally
        {
            Cut();
        }
    }

    // The cancellation source stays usable for late callers; it holds neither timer nor wait handle.
    public void Dispose() => Cut();

    private async Task CarryAsync(Socket from, Socket to, bool isDown)
    {
        var line = Channel.CreateBounded<(byte[] Bytes, int Count, long Due)>(InFlight);
        var writing = WriteAsync(line.Reader, to, isDown);
        try
        {
            while (true)
            {
                var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
                // A slow line has no warehouse before it.
                while (proxy.BytesPerSecond > 0 && line.Reader.Count > 0) await Task.Delay(ShortWhile, TimeProvider.System, _ended.Token);
                var most = proxy.BytesPerSecond > 0 ? Math.Clamp(proxy.BytesPerSecond / 100, SlowChunk, Chunk) : Chunk;
                var read = await from.ReceiveAsync(buffer.AsMemory(0, most), SocketFlags.None, _ended.Token);
                if (read == 0) break;
                var due = TimeProvider.System.GetTimestamp() + (long)(proxy.Delay.TotalSeconds * TimeProvider.System.TimestampFrequency);
                await line.Writer.WriteAsync((buffer, read, due), _ended.Token);
            }
        }
        finally
        {
            line.Writer.TryComplete();
        }
        await writing;
        to.Shutdown(SocketShutdown.Send);
    }

    private async Task WriteAsync(ChannelReader<(byte[] Bytes, int Count, long Due)> line, Socket to, bool isDown)
    {
        try
        {
            await foreach (var (bytes, count, due) in line.ReadAllAsync(_ended.Token))
            {
                var early = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), due);
                if (early > TimeSpan.Zero) await Task.Delay(early, TimeProvider.System, _ended.Token);
                while (proxy.Swallow) await Task.Delay(LookAgain, TimeProvider.System, _ended.Token);
                await SendAsync(to, bytes.AsMemory(0, count), isDown);
                ArrayPool<byte>.Shared.Return(bytes);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Cut();
        }
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes, bool isDown)
    {
        var free = isDown ? _downFree : _upFree;
        while (!bytes.IsEmpty)
        {
            var rate = proxy.BytesPerSecond;
            // A tenth of a second's worth at a time, so that a slow line is slow evenly.
            var part = bytes[..(rate > 0 ? Math.Min(bytes.Length, Math.Max(rate / 10, 1)) : bytes.Length)];
            if (isDown && Interlocked.Read(ref _allowance) is var left && left < part.Length)
            {
                await SendAllAsync(to, part[..(int)left]);
                Cut();
                return;
            }
            await SendAllAsync(to, part);
            if (isDown && Interlocked.Read(ref _allowance) != long.MaxValue) Interlocked.Add(ref _allowance, -part.Length);
            if (rate > 0) await UntilFreeAsync(free, part.Length / (double)rate);
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>By the moment at which the line is free again: timers are coarse, and each delay by itself would make the line slower than it says.</summary>
    private async Task UntilFreeAsync(Free free, double seconds)
    {
        var now = TimeProvider.System.GetTimestamp();
        free.At = Math.Max(free.At, now) + (long)(seconds * TimeProvider.System.TimestampFrequency);
        var left = TimeProvider.System.GetElapsedTime(now, free.At);
        if (left > ShortWhile) await Task.Delay(left, TimeProvider.System, _ended.Token);
    }

    private async Task SendAllAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await to.SendAsync(bytes, SocketFlags.None, _ended.Token)..];
    }

    /// <summary>When one way of the line is free for the next bytes.</summary>
    private sealed class Free
    {
        public long At { get; set; }
    }
}
