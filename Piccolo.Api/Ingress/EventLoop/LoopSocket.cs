using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>
/// A connected socket on a <see cref="SocketLoop"/>: sends and receives without waiting, and says when it is worth another try. One may receive and one may
/// send at a time, on any thread. Awaiters resume on the thread pool, unless <see cref="ResumeOnThreadPool"/> is
/// switched off.
/// </summary>
internal sealed class LoopSocket : ISocketWatcher, IDisposable
{
    /// <summary>So many receives in a row on the loop's thread, then others get their turn.</summary>
    private const int FairShare = 16;

    private readonly Socket _socket;
    private readonly LoopWait _readable;
    private readonly LoopWait _writable;
    private readonly Action? _ended;
    private readonly Lock _gate = new();
    private int _place = -1;
    // The first try costs a call and spares a round through the loop: most clients have spoken by then.
    private volatile bool _mayHaveBytes = true;
    private volatile bool _hasEnded;
    private volatile bool _isAborted;
    private int _isWoken;
    private bool _isGone;
    private int _turns;

    /// <param name="ended">Called once on the loop's thread when the peer ends its direction or breaks, after whoever waits for bytes; from the first
    /// receive on.</param>
    public LoopSocket(Socket socket, SocketLoop loop, Action? ended = null)
    {
        (_socket, Loop, _ended) = (socket, loop, ended);
        (_readable, _writable) = (new LoopWait(loop), new LoopWait(loop));
    }

    public SocketLoop Loop { get; }

    /// <value>Whether awaiters resume on the thread pool. Default true. On the loop's thread nobody may block (<see cref="LoopThread"/>).</value>
    public bool ResumeOnThreadPool { get; set; } = true;

    /// <summary>The peer's end, or a break, was seen. Bytes may still be there.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>False when a receive is known to bring nothing.</summary>
    public bool MayHaveBytes => _mayHaveBytes || _hasEnded || _isAborted;

    /// <summary>Neither bytes nor an end were seen since everything was received: the connection waits for what we say next.</summary>
    public bool IsQuiet => !_mayHaveBytes && !_hasEnded && !_isAborted;

    /// <summary>Takes what is there.</summary>
    /// <returns>How much; 0 is the end, -1 that there is nothing now.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ConnectionAbortedException">We broke it off ourselves.</exception>
    public int TryReceive(Span<byte> buffer) =>
        TryReceiveOrBroken(buffer) is var received && received != SocketTransfer.Broken ? received : throw Break();

    /// <inheritdoc cref="TryReceive"/>
    /// <returns><see cref="SocketTransfer.Broken"/> for a connection that is broken, by whomever.</returns>
    public int TryReceiveOrBroken(Span<byte> buffer)
    {
        // Before the call: its exception on the closed socket would cost more than a request.
        if (_isAborted) return SocketTransfer.Broken;
        if (!MayHaveBytes || _turns >= FairShare) return -1;
        // Before the call: whatever comes from here on says so again.
        _mayHaveBytes = false;
        int received;
        try
        {
            received = SocketTransfer.ReceiveOrBroken(_socket, buffer);
            // After the first bytes were taken: told of what is there already, the loop would wake for nothing.
            if (_place < 0 && received != SocketTransfer.Broken) Watch();
        }
        catch (Exception failure) when (failure is ObjectDisposedException or IOException)
        {
            // Ended in between, or without a place on the loop, where it would hang.
            return SocketTransfer.Broken;
        }
        if (received == buffer.Length) _mayHaveBytes = true;
        if (received > 0 && SocketLoop.Current is not null) _turns++;
        return received;
    }

    /// <summary>Waits until a receive may bring something, were it only that the connection is broken, or <see cref="WakeReader"/>.</summary>
    public ValueTask UntilReadableAsync()
    {
        if (_turns >= FairShare)
        {
            var turn = _readable.Begin(ResumeOnThreadPool);
            Loop.Post(this);
            return turn;
        }
        if (MayHaveBytes) return ValueTask.CompletedTask;
        var wait = _readable.Begin(ResumeOnThreadPool);
        // A wake is honoured once: were it left for the loop to clear, who reads on the loop's own thread would find it set for ever.
        return (MayHaveBytes || TakeWake()) && _readable.TryCancel() ? ValueTask.CompletedTask : wait;
    }

    /// <summary>Has whoever waits for bytes look around, or who does next. From any thread.</summary>
    public void WakeReader()
    {
        Volatile.Write(ref _isWoken, 1);
        Loop.Post(this);
    }

    /// <summary>Gives what there is room for.</summary>
    /// <returns>How much; -1 when there is no room now.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ConnectionAbortedException">We broke it off ourselves.</exception>
    public int TrySend(ReadOnlySpan<byte> bytes) =>
        TrySendOrBroken(bytes) is var sent && sent != SocketTransfer.Broken ? sent : throw Break();

    /// <inheritdoc cref="TrySend"/>
    /// <returns><see cref="SocketTransfer.Broken"/> for a connection that is broken, by whomever.</returns>
    public int TrySendOrBroken(ReadOnlySpan<byte> bytes)
    {
        if (_isAborted) return SocketTransfer.Broken;
        try
        {
            return SocketTransfer.SendOrBroken(_socket, bytes);
        }
        catch (ObjectDisposedException)
        {
            return SocketTransfer.Broken;
        }
    }

    /// <summary>Waits for room, or for <see cref="WakeWriter"/>.</summary>
    /// <exception cref="ConnectionAbortedException">We broke it off ourselves.</exception>
    public ValueTask UntilWritableAsync()
    {
        var wait = _writable.Begin(ResumeOnThreadPool);
        try
        {
            if (_place < 0) Watch();
            // Asked each time, the kernel tells of room that is there already.
            Loop.WatchWritable(_socket.SafeHandle, _place);
        }
        catch (Exception failure) when (failure is ObjectDisposedException or IOException)
        {
            if (_writable.TryCancel()) throw new ConnectionAbortedException();
        }
        if (_isAborted && _writable.TryCancel()) throw new ConnectionAbortedException();
        return wait;
    }

    /// <summary>Has whoever waits for room look around. From any thread.</summary>
    public void WakeWriter() => Loop.Post(new WriterWake(this));

    /// <summary>Sends all of it.</summary>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ConnectionAbortedException">We broke it off ourselves.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        var sent = TrySend(bytes.Span);
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[Math.Max(sent, 0)..]);
    }

    /// <summary>Ends our direction; the peer may go on.</summary>
    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // It has gone.
        }
    }

    /// <summary>Breaks the connection off, so that the peer sees it (RST), and wakes whoever waits. From any thread, more than once.</summary>
    public void Abort()
    {
        _isAborted = true;
        if (!Leave()) return;
        _socket.Break();
        Loop.Post(this);
    }

    /// <summary>Leaves the loop and closes the socket in good order.</summary>
    public void Dispose()
    {
        _isAborted = true;
        if (!Leave()) return;
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // It has gone.
        }
        _socket.Dispose();
        Loop.Post(this);
    }

    bool ISocketWatcher.OnReady(SocketReadiness readiness)
    {
        var ended = (readiness & (SocketReadiness.PeerEnded | SocketReadiness.HungUp | SocketReadiness.Failed)) != 0;
        var first = ended && !_hasEnded;
        if (ended) _hasEnded = true;
        if ((readiness & SocketReadiness.Readable) != 0) _mayHaveBytes = true;
        _turns = 0;
        if (TakeWake() || MayHaveBytes || readiness == SocketReadiness.None) _readable.Wake();
        if ((readiness & SocketReadiness.Writable) != 0 || ended || _isAborted) _writable.Wake();
        if (first) _ended?.Invoke();
        return false;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendRestAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            await UntilWritableAsync();
            ThrowIfAborted();
            bytes = bytes[Math.Max(TrySend(bytes.Span), 0)..];
        }
    }

    private bool TakeWake() => Volatile.Read(ref _isWoken) != 0 && Interlocked.Exchange(ref _isWoken, 0) == 1;

    private Exception Break() => _isAborted ? new ConnectionAbortedException() : new SocketException((int)SocketError.ConnectionReset);

    private void ThrowIfAborted()
    {
        if (_isAborted) throw new ConnectionAbortedException();
    }

    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    private void Watch()
    {
        lock (_gate)
            if (_place < 0 && !_isGone) _place = Loop.Add(_socket.SafeHandle, this);
    }

    private bool Leave()
    {
        lock (_gate)
        {
            if (_isGone) return false;
            _isGone = true;
            if (_place >= 0) Loop.Remove(_socket.SafeHandle, _place);
            return true;
        }
    }

    private sealed class WriterWake(LoopSocket socket) : ISocketWatcher
    {
        public bool OnReady(SocketReadiness readiness)
        {
            socket._writable.Wake();
            return false;
        }
    }
}
