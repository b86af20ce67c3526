using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>Connections of one key take each other's place: to one app's port, on one loop.</summary>
internal readonly record struct AppConnectionKey(int Port, SocketLoop Loop);

/// <summary>
/// All connections to apps that we speak on ourselves: those that wait for their next request, and the limit of silence for all. Thread-safe.
/// </summary>
internal sealed class AppConnections : IDisposable
{
    /// <summary>
    /// Of one key, that wait. As many as a few busy browsers' streams: to connect anew costs more than an idle connection does in its minute.
    /// </summary>
    private const int MaxIdle = 512;

    private static readonly TimeSpan MaxIdleTime = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<AppConnectionKey, IdleAppConnections> _idle = new();
    private readonly ConcurrentDictionary<AppConnection, bool> _all = new();
    private readonly SocketLoops _loops;
    private readonly TimeProvider _time;
    private readonly TimeSpan _silence;
    private readonly TimeSpan _sendTimeout;
    private readonly TimeSpan _idleTimeout;
    private readonly TimeSpan _connectTimeout;
    private readonly TimeSpan _period;
    private readonly ITimer _sweep;
    private long _now;
    private int _sweeps;

    public AppConnections(SocketLoops loops, IOptions<IngressOptions> options, TimeProvider time)
    {
        (_loops, _time) = (loops, time);
        (_silence, _sendTimeout, _connectTimeout) = (options.Value.ForwardIdleTimeout, options.Value.SendTimeout, options.Value.ConnectTimeout);
        _idleTimeout = _silence < MaxIdleTime ? _silence : MaxIdleTime;
        _period = _silence < Second * 4 ? _silence / 4 : Second;
        _now = time.GetTimestamp();
        _sweep = time.CreateTimer(static s => ((AppConnections)s!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public BlockPool Blocks { get; } = new();

    /// <summary>A timestamp, at most a period of the sweep old: the hot path reads no clock.</summary>
    public long Now => Volatile.Read(ref _now);

    /// <summary>How many there are, idle ones included.</summary>
    public int Count => _all.Count;

    /// <summary>
    /// A connection that waits for a request; null when there is none. Who is on a loop's thread gets one of that loop, and stays on the thread; for others
    /// any will do.
    /// </summary>
    /// <param name="maxIdle">One that waited for longer is not taken, and goes on waiting; null takes any.</param>
    public AppConnection? TakeIdle(int port, TimeSpan? maxIdle = null)
    {
        if (SocketLoop.Current is { } own) return TakeIdle(new AppConnectionKey(port, own), maxIdle);
        foreach (var loop in _loops.All)
            if (TakeIdle(new AppConnectionKey(port, loop), maxIdle) is { } connection) return connection;
        return null;
    }

    /// <summary>A new connection.</summary>
    /// <exception cref="SocketException">Nobody listens at the port.</exception>
    /// <exception cref="TimeoutException">Nobody has answered in time.</exception>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    public async ValueTask<AppConnection> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        var onLoop = SocketLoop.Current;
        var key = new AppConnectionKey(port, onLoop ?? _loops.Next());
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        AppConnection? connection = null;
        try
        {
            // Not by the runtime's own way, which would watch the socket from then on; and not blocking, for this may be a loop's thread.
            var isOver = LocalConnect.Begin(socket, port);
            connection = Add(socket, key);
            connection.Socket.ResumeOnThreadPool = onLoop is null;
            if (!isOver) await connection.Socket.UntilWritableAsync().AsTask().WaitAsync(_connectTimeout, _time, cancellationToken);
            LocalConnect.End(socket);
            return connection;
        }
        catch (Exception failure)
        {
            connection?.Dispose();
            socket.Dispose();
            // All were dropped meanwhile.
            if (failure is ObjectDisposedException or ConnectionAbortedException) throw new IOException("The connection was broken off.", failure);
            throw;
        }
    }

    /// <summary>Takes a connection back whose answer was read to its end.</summary>
    public void Return(AppConnection connection)
    {
        connection.ReleaseRequestState();
        connection.WasUsed = true;
        connection.Touch();
        if (!IsQuiet(connection) || !_idle.GetOrAdd(connection.Key, static _ => new IdleAppConnections()).Add(connection, MaxIdle))
        {
            connection.Dispose();
            return;
        }
        // Its end may have been told before it was among those that wait, or all may have been dropped.
        if (connection.Socket.HasEnded || connection.EndedBecause != AppConnectionEnd.None) OnEnded(connection);
    }

    /// <summary>The app ended a connection. One that waits is of no more use.</summary>
    public void OnEnded(AppConnection connection)
    {
        if (_idle.TryGetValue(connection.Key, out var idle) && idle.Remove(connection)) connection.Dispose();
    }

    public void Forget(AppConnection connection) => _all.TryRemove(connection, out _);

    public TimeSpan Since(long timestamp) => _time.GetElapsedTime(timestamp);

    /// <summary>Ends all of them, those with an answer under way too. Others may be made at once.</summary>
    public void Drop()
    {
        foreach (var (connection, _) in _all)
        {
            connection.End(AppConnectionEnd.Dropped);
            OnEnded(connection);
        }
        _idle.Clear();
    }

    public void Dispose()
    {
        _sweep.Dispose();
        Drop();
        Blocks.Dispose();
    }

    private AppConnection? TakeIdle(AppConnectionKey key, TimeSpan? maxIdle)
    {
        if (!_idle.TryGetValue(key, out var idle)) return null;
        while (idle.Take() is { } connection)
        {
            if (maxIdle is { } limit && connection.Idle > limit)
            {
                // The others have waited longer still.
                if (!idle.Add(connection, MaxIdle)) connection.Dispose();
                return null;
            }
            if (IsQuiet(connection))
            {
                connection.Touch();
                connection.Socket.ResumeOnThreadPool = SocketLoop.Current is null;
                return connection;
            }
            connection.Dispose();
        }
        return null;
    }

    /// <summary>Nothing came that nobody asked for. What looks like it may be an old report: a look at the socket tells.</summary>
    private static bool IsQuiet(AppConnection connection)
    {
        var socket = connection.Socket;
        if (socket.IsQuiet) return true;
        if (socket.HasEnded) return false;
        Span<byte> one = stackalloc byte[1];
        try
        {
            return socket.TryReceive(one) < 0 && socket.IsQuiet;
        }
        catch (Exception failure) when (failure is SocketException or ConnectionAbortedException)
        {
            return false;
        }
    }

    private AppConnection Add(Socket socket, AppConnectionKey key)
    {
        var connection = new AppConnection(socket, key, this);
        _all.TryAdd(connection, true);
        if (Interlocked.Exchange(ref _sweeps, 1) == 0)
        {
            Volatile.Write(ref _now, _time.GetTimestamp());
            connection.Touch();
            _sweep.Change(_period, Timeout.InfiniteTimeSpan);
        }
        return connection;
    }

    private void Sweep()
    {
        Volatile.Write(ref _now, _time.GetTimestamp());
        foreach (var (connection, _) in _all)
        {
            // What was heard was noted with a time up to a period old. One that waits ends in good order, and before it could count as silent.
            if (Since(connection.LastActivity) > _idleTimeout + _period) OnEnded(connection);
            connection.EndIfSilent(_silence + _period);
            connection.EndIfClientIsSlow(_sendTimeout + _period);
        }
        // A box without traffic sleeps.
        Volatile.Write(ref _sweeps, 0);
        if (!_all.IsEmpty && Interlocked.Exchange(ref _sweeps, 1) == 0) _sweep.Change(_period, Timeout.InfiniteTimeSpan);
    }
}
