using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress;

/// <summary>
/// Takes clients off a listening socket on a loop's thread; the connection that was posted for each goes on there (ADR 0018). Several loops share a socket.
/// </summary>
internal sealed class LoopAcceptor : ISocketWatcher, IDisposable
{
    /// <summary>So many in a row, then the loop's connections get their turn.</summary>
    private const int FairShare = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EndPoint _local;
    private readonly Socket _listening;
    private readonly SocketLoop _loop;
    private readonly PostedConnections _posted;
    private readonly ILogger _logger;
    private readonly ITimer _pause;
    private readonly int _place;
    private volatile bool _isClosed;
    private volatile bool _isPaused;

    /// <param name="listening">Not blocking. It remains the caller's.</param>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    public LoopAcceptor(EndPoint local, Socket listening, SocketLoop loop, PostedConnections posted, TimeProvider time, ILogger logger)
    {
        (_local, _listening, _loop, _posted, _logger) = (local, listening, loop, posted, logger);
        _pause = time.CreateTimer(static acceptor => ((LoopAcceptor)acceptor!).EndPause(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _place = loop.AddListening(listening, this);
    }

    /// <summary>Looks whether somebody waits. From any thread.</summary>
    public void GoOn() => _loop.Post(this);

    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        _loop.Remove(_listening, _place);
        _pause.Dispose();
    }

    bool ISocketWatcher.OnReady(SocketReadiness readiness)
    {
        for (var taken = 0; taken < FairShare; taken++)
        {
            if (_isClosed || _isPaused || _posted.TakeFor(this) is not { } connection) return false;
            if (TryAccept() is { } client)
            {
                Welcome(connection, client);
                continue;
            }
            _posted.GiveBack(connection);
            return false;
        }
        return true;
    }

    private void Welcome(LazySocketConnection connection, Socket client)
    {
        try
        {
            connection.Arrive(client, _loop);
        }
        catch (SocketException)
        {
            // Gone between the two calls.
            client.Dispose();
            _posted.GiveBack(connection);
        }
    }

    private void EndPause()
    {
        _isPaused = false;
        // Who waits already is not told again.
        GoOn();
    }

    private Socket? TryAccept()
    {
        try
        {
            return SocketAccept.TryAccept(_listening);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            // Out of descriptors, most likely, because somebody holds that many connections: a pause instead of a spin, and of a line for each who comes.
            _isPaused = true;
            _logger.TlsPortAcceptFailed(_local, failure.Message);
            _pause.Change(Pause, Timeout.InfiniteTimeSpan);
            return null;
        }
    }
}
