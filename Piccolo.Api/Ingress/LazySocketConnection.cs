using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Piccolo.Api.Ingress;

/// <summary>
/// A connection as Kestrel sees it, of which nothing is read before someone asks for its pipes. Until then its socket may be peeked at, or spliced as it is,
/// without a buffer or a receive loop of its own (ADR 0014). It may be handed to the server before its client is there (ADR 0018).
/// </summary>
internal sealed class LazySocketConnection : DefaultConnectionContext, IConnectionSocketFeature, IMemoryPoolFeature, IDuplexPipe
{
    private static long _lastId = TimeProvider.System.GetTimestamp();

    // Who waits for the client goes on where it is accepted.
    private readonly TaskCompletionSource<bool> _arrival = new();
    private readonly Lock _gate = new();
    // Not disposed: an abort may come at any time, and there is nothing in it to let go of.
    private readonly CancellationTokenSource _closed = new();
    private Socket? _socket;
    private SocketLoop? _loop;
    private LoopSocket? _started;
    private LoopReader? _input;
    private LoopWriter? _output;
    private IDuplexPipe? _replaced;
    private bool _isOver;
    private volatile bool _isDisposed;

    /// <param name="local">The address at which its client is awaited.</param>
    public LazySocketConnection(EndPoint? local, MemoryPool<byte> memory) : base(NextId())
    {
        (LocalEndPoint, MemoryPool) = (local, memory);
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set(this);
        // Of a client that is gone requests are told by this, whether or not anything is being read.
        ConnectionClosed = _closed.Token;
    }

    /// <exception cref="InvalidOperationException">The client is not there yet.</exception>
    public Socket Socket => _socket ?? throw new InvalidOperationException("The client is not there yet.");

    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>What its client asked for, if that was seen before it arrived.</summary>
    public PeekedHello? Hello { get; private set; }

    /// <inheritdoc cref="Arrival.AwaitedSince"/>
    public long? AwaitedSince { get; private set; }

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

    /// <summary>Whether the client's end, or a break, was seen: <see cref="BaseConnectionContext.ConnectionClosed"/> tells it a little later.</summary>
    public bool HasEnded => _started is { HasEnded: true } || IsBroken;

    /// <value>Whether awaiters of its pipes resume on the loop's thread, for connections whose every request goes to an app. Default false: on the thread pool.</value>
    public bool ResumesOnLoop
    {
        get;
        set
        {
            field = value;
            if (_started is { } started) started.OnPool = !value;
        }
    }

    /// <returns>False when none comes any more.</returns>
    public Task<bool> ArrivalAsync() => _arrival.Task;

    /// <summary>An identifier that no other connection of this process has.</summary>
    public static string NextId() => Interlocked.Increment(ref _lastId).ToString("X", CultureInfo.InvariantCulture);

    /// <summary>The client is there. Who waits for it goes on inside this call.</summary>
    /// <param name="loop">What the connection will live on as soon as something of it is read.</param>
    /// <exception cref="SocketException">It has gone again: the connection goes on waiting.</exception>
    public void Arrive(in Arrival arrival, SocketLoop loop)
    {
        (Hello, AwaitedSince) = (arrival.Hello, arrival.AwaitedSince);
        Arrive(arrival.Client.ToSocket(), arrival.Client.RemoteEndPoint, loop);
    }

    /// <inheritdoc cref="Arrive(in Arrival, SocketLoop)"/>
    public void Arrive(Socket socket, EndPoint remote, SocketLoop loop)
    {
        try
        {
            socket.NoDelay = true;
            (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, remote);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
        (_socket, _loop) = (socket, loop);
        if (!_arrival.TrySetResult(true)) socket.Dispose();
    }

    /// <summary>Nobody comes any more. Of a connection whose client is there nothing changes.</summary>
    public void StayAway() => _arrival.TrySetResult(false);

    PipeReader IDuplexPipe.Input => _input!;

    PipeWriter IDuplexPipe.Output => _output!;

    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (_arrival.TrySetResult(false)) return;
        lock (_gate) _isOver = true;
        if (_started is { } started) started.Abort();
        // Of one whose client stayed away there is nothing to break.
        else _socket?.Break();
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
            _socket?.Dispose();
        }
        _isDisposed = true;
        await base.DisposeAsync();
    }

    private void Start()
    {
        lock (_gate)
        {
            if (_started is not null) return;
            if (_isOver) throw new ConnectionAbortedException("The connection was ended before anything was read.");
            _started = new LoopSocket(Socket, _loop!, Closed) { OnPool = !ResumesOnLoop };
            (_input, _output) = (new LoopReader(_started, MemoryPool), new LoopWriter(_started, MemoryPool));
        }
    }

    /// <summary>On the thread pool: what others do about it is no business of a loop. After the disposal there are no others.</summary>
    private void Closed()
    {
        if (!_isDisposed && !_closed.IsCancellationRequested) ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
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
