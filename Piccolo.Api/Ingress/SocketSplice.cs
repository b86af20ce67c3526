using System.Buffers;
using System.Net.Sockets;

namespace Piccolo.Api.Ingress;

/// <summary>
/// One running splice from socket to socket, of a connection of which nothing was read. Both half-closes are passed on. Who is quiet holds no buffer; who is
/// busy keeps one, which spares a system call for each message.
/// </summary>
internal sealed class SocketSplice : ISplice
{
    private const int SmallestBuffer = 16 * 1024;
    private const int LargestBuffer = 256 * 1024;

    /// <summary>After so many messages without a quiet time a direction counts as busy.</summary>
    private const int BusyAfter = 8;

    /// <summary>So many messages in a row are copied without a wait before others get their turn on this thread.</summary>
    private const int FairShare = 16;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private readonly Socket _client;
    private readonly Socket _upstream;
    private readonly TimeSpan _idleTimeout;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private CancellationTokenSource? _quiet;
    private long _touched;
    private int _busy;
    private int _end = -1;
    private long _bytesToUpstream;
    private long _bytesToClient;

    public SocketSplice(Socket client, Socket upstream, TimeSpan idleTimeout, TimeProvider time)
    {
        (_client, _upstream, _idleTimeout, _time) = (client, upstream, idleTimeout, time);
        _touched = time.GetTimestamp();
        _timer = time.CreateTimer(static s => ((SocketSplice)s!).OnTimer(), this, idleTimeout, Timeout.InfiniteTimeSpan);
    }

    public async Task<SpliceResult> RunAsync()
    {
        // Both are awaited: whichever ends first has only ended its own direction.
        var toClient = GuardAsync(_upstream, _client);
        _bytesToUpstream = await GuardAsync(_client, _upstream);
        _bytesToClient = await toClient;
        return new SpliceResult(_end < 0 ? SpliceEnd.Completed : (SpliceEnd)_end, _bytesToUpstream, _bytesToClient);
    }

    public void End(SpliceEnd reason)
    {
        if (Interlocked.CompareExchange(ref _end, (int)reason, -1) != -1) return;
        // Also what wakes the copies.
        _client.Break();
        _upstream.Break();
    }

    public void Dispose()
    {
        _timer.Dispose();
        _quiet?.Dispose();
    }

    private async Task<long> GuardAsync(Socket from, Socket to)
    {
        var copy = new Direction();
        try
        {
            await CopyAsync(from, to, copy);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            End(SpliceEnd.Reset);
        }
        finally
        {
            copy.GiveBack();
            if (copy.IsBusy) Interlocked.Decrement(ref _busy);
        }
        return copy.Bytes;
    }

    private async Task CopyAsync(Socket from, Socket to, Direction copy)
    {
        for (var row = 0; ; row++)
        {
            if (row >= FairShare)
            {
                // With completions that run on the poller's thread a stream that never waits would keep it from all others.
                await Task.Yield();
                row = 0;
            }
            var receiving = copy.IsBusy ? ReceiveBusyAsync(from, copy) : ReceiveQuietAsync(from, copy);
            if (!receiving.IsCompleted) row = 0;
            var received = await receiving;
            if (received == 0) break;
            if (received > 0)
            {
                // Before it is seen on the other side, so that who saw it can rely on it; again after, for who is slow to take it is not silent.
                Volatile.Write(ref _touched, _time.GetTimestamp());
                await SendAsync(to, copy.Buffer.AsMemory(0, received));
                Touch(copy, received);
            }
        }
        to.Shutdown(SocketShutdown.Send);
    }

    private static async ValueTask<int> ReceiveQuietAsync(Socket from, Direction copy)
    {
        // Waiting with an empty buffer: thousands of idle connections hold none.
        await from.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
        return await from.ReceiveAsync(copy.Take(), SocketFlags.None);
    }

    /// <returns>Negative when the direction has become quiet.</returns>
    private async ValueTask<int> ReceiveBusyAsync(Socket from, Direction copy)
    {
        var quiet = QuietToken();
        try
        {
            return await from.ReceiveAsync(copy.Take(), SocketFlags.None, quiet);
        }
        catch (OperationCanceledException) when (quiet.IsCancellationRequested)
        {
            copy.BecomeQuiet();
            Interlocked.Decrement(ref _busy);
            return -1;
        }
    }

    private static async ValueTask SendAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await to.SendAsync(bytes, SocketFlags.None)..];
    }

    private void Touch(Direction copy, int count)
    {
        Volatile.Write(ref _touched, _time.GetTimestamp());
        // The first that becomes busy makes the timer look sooner.
        if (copy.Count(count) && Interlocked.Increment(ref _busy) == 1) _timer.Change(Quiet, Timeout.InfiniteTimeSpan);
    }

    private CancellationToken QuietToken()
    {
        if (Volatile.Read(ref _quiet) is { IsCancellationRequested: false } current) return current.Token;
        lock (_timer)
        {
            if (_quiet is not { IsCancellationRequested: false }) _quiet = new CancellationTokenSource();
            return _quiet.Token;
        }
    }

    private void OnTimer()
    {
        var silent = _time.GetElapsedTime(Volatile.Read(ref _touched));
        if (silent >= _idleTimeout)
        {
            End(SpliceEnd.Idle);
            return;
        }
        var next = _idleTimeout - silent;
        if (Volatile.Read(ref _busy) > 0)
        {
            if (silent >= Quiet) Volatile.Read(ref _quiet)?.Cancel();
            else if (Quiet < next) next = Quiet;
        }
        try
        {
            _timer.Change(next, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The splice has just ended.
        }
    }

    /// <summary>What one direction knows of itself.</summary>
    private sealed class Direction
    {
        private int _size = SmallestBuffer;
        private int _used;
        private int _messages;

        public byte[]? Buffer { get; private set; }

        public long Bytes { get; private set; }

        public bool IsBusy { get; private set; }

        public byte[] Take()
        {
            if (Buffer is { } held && held.Length < _size) GiveBack();
            return Buffer ??= ArrayPool<byte>.Shared.Rent(_size);
        }

        /// <returns>Whether the direction has just become busy.</returns>
        public bool Count(int received)
        {
            Bytes += received;
            _used = Math.Max(_used, received);
            if (received == Buffer!.Length && _size < LargestBuffer) _size *= 4;
            if (IsBusy) return false;
            IsBusy = ++_messages >= BusyAfter;
            if (!IsBusy) GiveBack();
            return IsBusy;
        }

        public void BecomeQuiet()
        {
            (IsBusy, _messages, _size) = (false, 0, SmallestBuffer);
            GiveBack();
        }

        /// <summary>Wiped, for on a port of the LAN it may be clear text.</summary>
        public void GiveBack()
        {
            if (Buffer is not { } held) return;
            Buffer = null;
            held.AsSpan(0, _used).Clear();
            _used = 0;
            ArrayPool<byte>.Shared.Return(held);
        }
    }
}
