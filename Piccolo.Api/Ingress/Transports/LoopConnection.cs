using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Piccolo.Api.Ingress.EventLoop;

namespace Piccolo.Api.Ingress.Transports;

/// <summary>A connection as Kestrel sees it, whose socket lives on a <see cref="SocketLoop"/>.</summary>
internal sealed class LoopConnection : DefaultConnectionContext, IConnectionSocketFeature, IMemoryPoolFeature, ILoopSocketFeature, IDuplexPipe
{
    private static long _lastId = TimeProvider.System.GetTimestamp();

    // Not disposed: an abort may come at any time, and there is nothing in it to let go of.
    private readonly CancellationTokenSource _closed = new();
    private readonly LoopSocket _socket;
    private readonly LoopReader _input;
    private readonly LoopWriter _output;
    private readonly IDisposable? _lease;
    private volatile bool _isDisposed;

    /// <param name="lease">Disposed of with the connection.</param>
    /// <exception cref="SocketException">The client has gone; the socket is still the caller's.</exception>
    public LoopConnection(string id, Socket socket, SocketLoop loop, MemoryPool<byte> memory, IDisposable? lease = null) : base(id)
    {
        socket.NoDelay = true;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        Socket = socket;
        MemoryPool = memory;
        _lease = lease;
        _socket = new LoopSocket(socket, loop, Closed);
        _input = new LoopReader(_socket, memory);
        _output = new LoopWriter(_socket, memory);
        Transport = this;
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set<ILoopSocketFeature>(this);
        // Of a client that is gone requests are told by this, whether or not anything is being read.
        ConnectionClosed = _closed.Token;
    }

    public Socket Socket { get; }

    public MemoryPool<byte> MemoryPool { get; }

    /// <inheritdoc/>
    public bool IsBroken => _input.IsBroken;

    /// <inheritdoc/>
    public bool HasEnded => _socket.HasEnded || IsBroken;

    /// <inheritdoc/>
    public bool ResumesOnLoop
    {
        get => !_socket.ResumeOnThreadPool;
        set => _socket.ResumeOnThreadPool = !value;
    }

    /// <summary>An identifier that no other connection of this process has.</summary>
    public static string NextId() => Interlocked.Increment(ref _lastId).ToString("X", CultureInfo.InvariantCulture);

    PipeReader IDuplexPipe.Input => _input;

    PipeWriter IDuplexPipe.Output => _output;

    public override void Abort(ConnectionAbortedException abortReason)
    {
        _socket.Abort();
        Closed();
    }

    public override async ValueTask DisposeAsync()
    {
        _input.Complete();
        _output.Complete();
        _socket.Dispose();
        _isDisposed = true;
        _lease?.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>On the thread pool: what others do about it is no business of a loop. After the disposal there are no others.</summary>
    private void Closed()
    {
        if (!_isDisposed && !_closed.IsCancellationRequested) ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
    }
}
