using System.Net.Sockets;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.PassThrough;

/// <summary>
/// One running splice from socket to socket, of a connection of which nothing was read. Both half-closes are passed on. The copying is done by a
/// <see cref="SocketLoop"/>; a connection holds a buffer of its own only while its receiver is slower than its sender.
/// </summary>
internal sealed class SocketSplice : ISplice
{
    private readonly Lock _gate = new();
    // Who waits for it goes on on the loop's thread.
    private readonly TaskCompletionSource _done = new();
    private readonly Socket _client;
    private readonly Socket _upstream;
    private readonly TimeSpan _idleTimeout;
    private readonly SocketLoop _loop;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly SpliceDirection _toUpstream;
    private readonly SpliceDirection _toClient;
    private int _clientPlace = -1;
    private int _upstreamPlace = -1;
    private bool _clientTellsRoom;
    private bool _upstreamTellsRoom;
    private long _touched;
    private int _end = -1;
    private bool _hasLeft;

    public SocketSplice(Socket client, Socket upstream, TimeSpan idleTimeout, SocketLoop loop, TimeProvider time)
    {
        (_client, _upstream, _idleTimeout, _loop, _time) = (client, upstream, idleTimeout, loop, time);
        (_toUpstream, _toClient) = (new SpliceDirection(client, upstream, loop, Touch), new SpliceDirection(upstream, client, loop, Touch));
        Touch();
        _timer = time.CreateTimer(static s => ((SocketSplice)s!).OnTimer(), this, idleTimeout, Timeout.InfiniteTimeSpan);
    }

    public async Task<SpliceResult> RunAsync()
    {
        Begin();
        await _done.Task;
        if (_end >= 0)
        {
            _client.Break();
            _upstream.Break();
        }
        return new SpliceResult(_end < 0 ? SpliceEnd.Completed : (SpliceEnd)_end, _toUpstream.Bytes, _toClient.Bytes);
    }

    /// <summary>Bytes of memory of its own that it has now.</summary>
    internal int Held => _toUpstream.Held + _toClient.Held;

    public void End(SpliceEnd reason)
    {
        // The sockets are the loop's until it lets them go.
        if (Interlocked.CompareExchange(ref _end, (int)reason, -1) == -1) _loop.Post(new Watcher(this, isClient: true));
    }

    public void Dispose() => _timer.Dispose();

    private void Begin()
    {
        // The loop waits here until both are known to it.
        lock (_gate)
        {
            try
            {
                _clientPlace = _loop.Add(_client.SafeHandle, new Watcher(this, isClient: true));
                _upstreamPlace = _loop.Add(_upstream.SafeHandle, new Watcher(this, isClient: false));
            }
            catch (Exception failure) when (failure is IOException or ObjectDisposedException)
            {
                Fail();
                LeaveWhenOver();
                _done.SetResult();
            }
        }
    }

    private bool OnReady(SocketReadiness readiness, bool isClient)
    {
        var again = false;
        lock (_gate)
        {
            if (_hasLeft) return false;
            if (_end < 0)
            {
                var (incoming, outgoing) = isClient ? (_toUpstream, _toClient) : (_toClient, _toUpstream);
                try
                {
                    again = incoming.OnSource(readiness) | outgoing.OnTarget(readiness);
                    WaitForRoom();
                }
                catch (Exception failure) when (failure is SocketException or IOException or ObjectDisposedException)
                {
                    Fail();
                }
            }
            if (!LeaveWhenOver()) return again;
        }
        _done.SetResult();
        return false;
    }

    /// <summary>Only who was once too slow is waited for: most never are, and to be told costs.</summary>
    private void WaitForRoom()
    {
        if (_toClient.IsHeldUp && !_clientTellsRoom)
        {
            _clientTellsRoom = true;
            _loop.WatchWritable(_client.SafeHandle, _clientPlace);
        }
        if (_toUpstream.IsHeldUp && !_upstreamTellsRoom)
        {
            _upstreamTellsRoom = true;
            _loop.WatchWritable(_upstream.SafeHandle, _upstreamPlace);
        }
    }

    private bool LeaveWhenOver()
    {
        if (Volatile.Read(ref _end) < 0 && !(_toUpstream.IsOver && _toClient.IsOver)) return false;
        if (_clientPlace >= 0) _loop.Remove(_client.SafeHandle, _clientPlace);
        if (_upstreamPlace >= 0) _loop.Remove(_upstream.SafeHandle, _upstreamPlace);
        _toUpstream.GiveBack();
        _toClient.GiveBack();
        return _hasLeft = true;
    }

    private void Touch() => Volatile.Write(ref _touched, _time.GetTimestamp());

    private void Fail() => Interlocked.CompareExchange(ref _end, (int)SpliceEnd.Reset, -1);

    private void OnTimer()
    {
        var silent = _time.GetElapsedTime(Volatile.Read(ref _touched));
        if (silent >= _idleTimeout)
        {
            End(SpliceEnd.Idle);
            return;
        }
        try
        {
            _timer.Change(_idleTimeout - silent, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The splice has just ended.
        }
    }

    private sealed class Watcher(SocketSplice splice, bool isClient) : ISocketWatcher
    {
        public bool OnReady(SocketReadiness readiness) => splice.OnReady(readiness, isClient);
    }
}
