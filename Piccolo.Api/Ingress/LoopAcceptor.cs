using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress;

/// <summary>
/// Takes clients off a listening socket on a loop's thread. Whose ClientHello is whole goes on there as the connection that was posted for it (ADR 0018); the
/// others are awaited without one. Several loops share a socket.
/// </summary>
internal sealed class LoopAcceptor : ISocketWatcher, IDisposable
{
    /// <summary>So many in a row, then the loop's connections get their turn.</summary>
    private const int FairShare = 16;

    /// <summary>So many with a whole hello may wait for a connection of the server's; it makes those faster than clients come.</summary>
    private const int MaxArrived = 256;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EndPoint _local;
    private readonly Socket _listening;
    private readonly SocketLoop _loop;
    private readonly PostedConnections _posted;
    private readonly AwaitedHellos _hellos;
    private readonly ILogger _logger;
    private readonly ITimer _pause;
    private readonly int _place;
    // Were awaited, and now wait for a connection.
    private readonly Queue<Arrival> _arrived = [];
    private volatile bool _isClosed;
    private volatile bool _isPaused;

    /// <param name="listening">Not blocking. It remains the caller's.</param>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    public LoopAcceptor(EndPoint local, Socket listening, SocketLoop loop, PostedConnections posted, HelloAdmission admission, TimeProvider time, ILogger logger)
    {
        (_local, _listening, _loop, _posted, _logger) = (local, listening, loop, posted, logger);
        _hellos = new AwaitedHellos(loop, admission, time, Serve);
        _pause = time.CreateTimer(static acceptor => ((LoopAcceptor)acceptor!).EndPause(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _place = loop.AddListening(listening.SafeHandle, this);
    }

    /// <summary>Looks whether somebody waits. From any thread.</summary>
    public void GoOn() => _loop.Post(this);

    /// <summary>From any thread. Who is awaited is sent away on the loop's.</summary>
    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        _loop.Remove(_listening.SafeHandle, _place);
        _pause.Dispose();
        _hellos.Dispose();
        GoOn();
    }

    bool ISocketWatcher.OnReady(SocketReadiness readiness)
    {
        LazySocketConnection? connection = null;
        var taken = 0;
        for (; taken < FairShare && !_isClosed; taken++)
        {
            connection ??= _posted.TakeFor(this);
            if (connection is null) break;
            if (!_arrived.TryDequeue(out var arrival))
            {
                if (_isPaused || TryAccept() is not { } client) break;
                if (!_hellos.TryLook(client, out arrival)) continue;
            }
            Welcome(connection, arrival);
            connection = null;
        }
        if (connection is not null) _posted.GiveBack(connection);
        if (_isClosed) Stop();
        return taken == FairShare;
    }

    private void Serve(Arrival arrival)
    {
        if (_posted.TakeFor(this) is { } connection) Welcome(connection, arrival);
        else if (_arrived.Count < MaxArrived) _arrived.Enqueue(arrival);
        else _hellos.Refuse(arrival.Client);
    }

    private void Welcome(LazySocketConnection connection, in Arrival arrival)
    {
        try
        {
            connection.Arrive(arrival, _loop);
        }
        catch (SocketException)
        {
            // Gone between two calls.
            _posted.GiveBack(connection);
        }
    }

    private void Stop()
    {
        _hellos.Stop();
        while (_arrived.TryDequeue(out var arrival)) arrival.Client.Dispose();
    }

    private void EndPause()
    {
        _isPaused = false;
        // Who waits already is not told again.
        GoOn();
    }

    private AcceptedClient? TryAccept()
    {
        try
        {
            return SocketAccept.TryAccept(_listening);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        catch (IOException failure)
        {
            // Out of descriptors, most likely, because somebody holds that many connections: a pause instead of a spin, and of a line for each who comes.
            _isPaused = true;
            _logger.TlsPortAcceptFailed(_local, failure.Message);
            _pause.Change(Pause, Timeout.InfiniteTimeSpan);
            return null;
        }
    }
}
