using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Piccolo.Api.Ingress;

/// <summary>
/// An accepted socket as Kestrel sees a connection, of which nothing is read before someone asks for its pipes. Until then the socket may be peeked at, or
/// spliced as it is, without a buffer or a receive loop of its own (ADR 0014).
/// </summary>
internal sealed class LazySocketConnection : DefaultConnectionContext, IConnectionSocketFeature, IMemoryPoolFeature
{
    private static long _lastId = TimeProvider.System.GetTimestamp();

    private readonly SocketConnections _transports;
    private readonly Lock _gate = new();
    // Not disposed: an abort may come at any time, and there is nothing in it to let go of.
    private readonly CancellationTokenSource _aborted = new();
    private ConnectionContext? _started;
    private System.IO.Pipelines.IDuplexPipe? _replaced;
    private bool _isOver;

    public LazySocketConnection(Socket socket, SocketConnections transports) : base(Interlocked.Increment(ref _lastId).ToString("X", CultureInfo.InvariantCulture))
    {
        (Socket, _transports) = (socket, transports);
        (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
    }

    public Socket Socket { get; }

    /// <summary>Whether every byte that the client sent is still in the kernel.</summary>
    public bool IsUntouched => _started is null;

    public MemoryPool<byte> MemoryPool => Start().Features.Get<IMemoryPoolFeature>()!.MemoryPool;

    /// <summary>The first look at it starts the receiving; TLS and counters put their own in its place.</summary>
    public override System.IO.Pipelines.IDuplexPipe Transport
    {
        get => _replaced ?? Start().Transport;
        set => _replaced = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => _started?.ConnectionClosed ?? _aborted.Token;
        set => base.ConnectionClosed = value;
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        ConnectionContext? started;
        lock (_gate)
        {
            _isOver = true;
            started = _started;
        }
        if (started is not null) started.Abort(abortReason);
        else
        {
            Socket.Break();
            _aborted.Cancel();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        lock (_gate) _isOver = true;
        if (_started is { } started) await started.DisposeAsync();
        else Socket.Dispose();
        await base.DisposeAsync();
    }

    private ConnectionContext Start()
    {
        lock (_gate)
        {
            if (_started is null && _isOver) throw new ConnectionAbortedException("The connection was ended before anything was read.");
            return _started ??= _transports.Create(Socket);
        }
    }
}

internal static class SocketEnds
{
    /// <summary>Ends a connection so that the other side sees a break (RST) and not a regular end; whoever waits on the socket is woken.</summary>
    public static void Break(this Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
        socket.Dispose();
    }
}
