using System.Net;
using System.Net.Sockets;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>Accepts clients from a listening socket on a loop's thread. Several loops share a socket.</summary>
/// <remarks>After a failure it pauses. <see cref="Dispose"/> may be called from any thread; the socket remains the caller's.</remarks>
internal sealed class TlsPortAcceptor : ISocketWatcher, IDisposable
{
    /// <summary>Then the loop's connections get their turn.</summary>
    private const int MaxAcceptsPerTurn = 16;

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly Socket _listening;
    private readonly SocketLoop _loop;
    private readonly TlsPortClients _clients;
    private readonly BoundTlsPort _port;
    private readonly ILogger _logger;
    private readonly ITimer _pause;
    private readonly int _place;
    private volatile bool _isPaused;

    /// <param name="listening">Not blocking.</param>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    public TlsPortAcceptor(Socket listening, SocketLoop loop, TlsPortClients clients, BoundTlsPort port, TimeProvider time, ILogger logger)
    {
        _listening = listening;
        _loop = loop;
        _clients = clients;
        _port = port;
        _logger = logger;
        _pause = time.CreateTimer(static acceptor => ((TlsPortAcceptor)acceptor!).EndPause(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _place = loop.AddListening(listening.SafeHandle, this);
    }

    public void Dispose()
    {
        _loop.Remove(_listening.SafeHandle, _place);
        _pause.Dispose();
    }

    bool ISocketWatcher.OnReady(SocketReadiness readiness)
    {
        for (var accepted = 0; accepted < MaxAcceptsPerTurn; accepted++)
        {
            if (_isPaused || TryAccept(out var remote) is not { } client) return false;
            _clients.Begin(client, remote!, _loop, _port);
        }
        return true;
    }

    private void EndPause()
    {
        _isPaused = false;
        // Clients that wait already are not told again.
        _loop.Post(this);
    }

    private Socket? TryAccept(out IPEndPoint? remote)
    {
        remote = null;
        try
        {
            return _port.IsStopping ? null : SocketAccept.TryAccept(_listening, out remote);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        catch (IOException failure)
        {
            // Out of descriptors, most likely, because somebody holds that many connections: a pause instead of a spin, and of a line for each who comes.
            _isPaused = true;
            _logger.TlsPortAcceptFailed(_port.Local, failure.Message);
            _pause.Change(PauseAfterFailure, Timeout.InfiniteTimeSpan);
            return null;
        }
    }
}
