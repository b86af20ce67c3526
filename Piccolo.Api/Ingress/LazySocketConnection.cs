using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Piccolo.Api.Ingress;

/// <summary>
/// An accepted socket as Kestrel sees a connection, of which nothing is read before someone asks for its pipes. Until then the socket may be peeked at, or
/// spliced as it is, without a buffer or a receive loop of its own (ADR 0014).
/// </summary>
internal sealed class LazySocketConnection : DefaultConnectionContext, IConnectionSocketFeature, IMemoryPoolFeature, IDuplexPipe
{
    private static long _lastId = TimeProvider.System.GetTimestamp();

    private readonly SocketLoop _loop;
    private readonly Lock _gate = new();
    // Not disposed: an abort may come at any time, and there is nothing in it to let go of.
    private readonly CancellationTokenSource _closed = new();
    private LoopSocket? _started;
    private LoopReader? _input;
    private LoopWriter? _output;
    private IDuplexPipe? _replaced;
    private bool _isOver;

    /// <param name="loop">What the connection will live on as soon as something of it is read.</param>
    public LazySocketConnection(Socket socket, SocketLoop loop, MemoryPool<byte> memory) : base(Interlocked.Increment(ref _lastId).ToString("X", CultureInfo.InvariantCulture))
    {
        (Socket, _loop, MemoryPool) = (socket, loop, memory);
        (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set(this);
        // Of a client that is gone requests are told by this, whether or not anything is being read.
        ConnectionClosed = _closed.Token;
    }

    public Socket Socket { get; }

    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>Whether every byte that the client sent is still in the kernel.</summary>
    public bool IsUntouched => _started is null;

    /// <summary>The first look at it starts the receiving; TLS and counters put their own in its place.</summary>
    public override IDuplexPipe Transport
    {
        get
        {
            if (_replaced is not null) return _replaced;
            Start();
            return this;
        }
        set => _replaced = value;
    }

    /// <inheritdoc cref="LoopReader.IsBroken"/>
    public bool IsBroken => _input is { IsBroken: true };

    /// <inheritdoc cref="LoopSocket.OnPool"/>
    public void GoOnOnPool()
    {
        if (_started is { } started) started.OnPool = true;
    }

    PipeReader IDuplexPipe.Input => _input!;

    PipeWriter IDuplexPipe.Output => _output!;

    public override void Abort(ConnectionAbortedException abortReason)
    {
        lock (_gate) _isOver = true;
        if (_started is { } started) started.Abort();
        else Socket.Break();
        Closed();
    }

    public override async ValueTask DisposeAsync()
    {
        lock (_gate) _isOver = true;
        if (_started is { } started)
        {
            _input!.Complete();
            _output!.Complete();
            started.Dispose();
        }
        else
        {
            Socket.Dispose();
        }
        await base.DisposeAsync();
    }

    private void Start()
    {
        lock (_gate)
        {
            if (_started is not null) return;
            if (_isOver) throw new ConnectionAbortedException("The connection was ended before anything was read.");
            _started = new LoopSocket(Socket, _loop, Closed);
            (_input, _output) = (new LoopReader(_started, MemoryPool), new LoopWriter(_started, MemoryPool));
        }
    }

    /// <summary>On the thread pool: what others do about it is no business of a loop.</summary>
    private void Closed()
    {
        if (!_closed.IsCancellationRequested) ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
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
