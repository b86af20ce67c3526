using System.Net.Sockets;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Primitives.Sockets;
using Piccolo.Core.ProxyProtocol;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>
/// An accepted client of our TLS port until it is decided what becomes of it. The header of a trusted proxy is taken off the socket; the ClientHello is peeked
/// at (MSG_PEEK) and stays there. A client that has not said enough is watched by the loop. On the loop's thread only.
/// </summary>
/// <param name="origin">Of the peer, which is a proxy or the client itself.</param>
/// <param name="isProxy">Whether its first bytes must be a PROXY header.</param>
internal sealed class TlsPortClient(
    Socket socket, IConnectionOriginFeature origin, bool isProxy, SocketLoop loop, TlsPortClients clients, BoundTlsPort port) : ISocketWatcher
{
    private const string ProxyHeaderMissing = "proxy_header";
    private const SocketReadiness Ended = SocketReadiness.PeerEnded | SocketReadiness.HungUp | SocketReadiness.Failed;

    private bool _awaitsHeader = isProxy;
    private TlsPortWait? _wait;
    private long _began = clients.Time.GetTimestamp();
    private long _heard;
    private int _seen;
    private bool _isOver;

    public string Id { get; } = LoopConnection.NextId();

    public Socket Socket => socket;

    public SocketLoop Loop => loop;

    public BoundTlsPort Port => port;

    /// <summary>Of the proxy, until its header has told who the client is.</summary>
    public IConnectionOriginFeature Origin { get; private set; } = origin;

    /// <summary>What it holds of the limits; null until the client is known.</summary>
    public ConnectionLease? Lease { get; private set; }

    public void Begin()
    {
        if (clients.OpenFiles.IsShort(socket)) Break("descriptors");
        else if (_awaitsHeader || TryAdmit()) Look(SocketReadiness.None);
    }

    /// <summary>Its time may be over, or the endpoint stops. From any thread.</summary>
    public void LookAgain() => loop.Post(this);

    /// <summary>Ends the connection regularly.</summary>
    public void Close()
    {
        End();
        // Unread bytes would turn the close into a reset.
        SocketTransfer.Drain(socket);
        socket.Dispose();
        Lease?.Dispose();
    }

    bool ISocketWatcher.OnReady(SocketReadiness readiness)
    {
        if (!_isOver) Look(readiness);
        return false;
    }

    private void Look(SocketReadiness readiness)
    {
        try
        {
            // The header first; the hello may be right behind it.
            if (!_awaitsHeader || TryTakeHeader(readiness)) LookForHello(readiness);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // A reset, as port scanners end their visits.
            Refuse(PeekFailure.Closed);
        }
        catch (Exception failure)
        {
            // The connection's edge: whatever a peer provokes ends here, as one line and one count.
            clients.Dispatcher.Failed(this, failure);
            BreakOff();
        }
    }

    /// <returns>Whether the client is known and admitted now.</returns>
    private bool TryTakeHeader(SocketReadiness readiness)
    {
        var bytes = Peek(ProxyHeaderParser.MaxHeaderBytes, out var seen);
        var header = ProxyHeaderParser.Parse(bytes);
        switch (header.Verdict)
        {
            case ProxyHeaderVerdict.NeedMore when seen != 0:
                WaitForMore(seen, readiness);
                return false;
            case ProxyHeaderVerdict.Header:
                SocketTransfer.Discard(socket, loop.Buffer[..header.Length]);
                if (!header.IsLocal) Origin = clients.Classifier.ClassifyProxied(Origin, header.Source);
                _wait?.Dispose();
                (_awaitsHeader, _wait, _seen, _began) = (false, null, 0, clients.Time.GetTimestamp());
                return TryAdmit();
            default:
                // Were a connection without a header accepted too, a proxy's users could write the header themselves (proxy-protocol.txt, 2).
                Break(ProxyHeaderMissing);
                return false;
        }
    }

    private void LookForHello(SocketReadiness readiness)
    {
        var hello = ClientHelloParser.Parse(Peek(ClientHelloParser.MaxInputLength, out var seen));
        if (hello.Verdict != ClientHelloVerdict.NeedMore)
        {
            End();
            clients.Dispatcher.Dispatch(this, PeekedHello.Of(hello));
        }
        else if (seen == 0) Refuse(PeekFailure.Closed);
        else WaitForMore(seen, readiness);
    }

    /// <param name="seen">How many bytes; 0 is the end, -1 that there are none now.</param>
    private ReadOnlyMemory<byte> Peek(int length, out int seen)
    {
        var room = loop.Memory[..length];
        seen = SocketTransfer.Peek(socket, room.Span);
        return room[..Math.Max(seen, 0)];
    }

    private void WaitForMore(int seen, SocketReadiness readiness)
    {
        var now = clients.Time.GetTimestamp();
        if (seen > _seen) (_seen, _heard) = (seen, now);
        var elapsed = clients.Time.GetElapsedTime(_began, now);
        // A PROXY header is small and comes at once.
        var left = _awaitsHeader
            ? clients.Limits.PeekIdleTimeout - elapsed
            : clients.Limits.PeekLeft(elapsed, _seen > 0, clients.Time.GetElapsedTime(_heard, now));
        // The look came after the end was told, so nothing more can follow.
        if ((readiness & Ended) != 0 || port.IsStopping) Refuse(PeekFailure.Closed);
        else if (left <= TimeSpan.Zero) Refuse(PeekFailure.Timeout);
        else if (_wait is not null) _wait.SetTimeout(left);
        else if ((_wait = TlsPortWait.TryBegin(this, left, clients.Waiting, clients.Time)) is null) Refuse(PeekFailure.Busy);
    }

    private bool TryAdmit()
    {
        Lease = clients.TryAdmit(Id, Origin);
        if (Lease is null) BreakOff();
        return Lease is not null;
    }

    private void Refuse(PeekFailure failure)
    {
        if (_awaitsHeader) Break(ProxyHeaderMissing);
        else
        {
            clients.Dispatcher.Refused(this, failure.ToString(), null);
            Close();
        }
    }

    private void Break(string reason)
    {
        clients.Dispatcher.Refused(this, reason, null);
        BreakOff();
    }

    /// <summary>Ends the connection so that the peer sees a reset.</summary>
    private void BreakOff()
    {
        End();
        socket.Break();
        Lease?.Dispose();
    }

    private void End()
    {
        _isOver = true;
        _wait?.Dispose();
        _wait = null;
    }
}
