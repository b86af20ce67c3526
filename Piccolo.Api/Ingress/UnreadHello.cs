using System.Buffers;
using System.Net.Sockets;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress;

/// <summary>
/// A ClientHello that is awaited on a socket of which nothing is read. The kernel counts its bytes and keeps their time, so that who sends them one by one
/// wakes nobody: there is a look at the first byte, one when the length of the whole is known, one at the last. The socket is given back as it was.
/// </summary>
internal sealed class UnreadHello : ISocketWatcher, IDisposable
{
    private const int MaxLook = 16 * 1024;

    /// <summary>So often a socket may call for nothing; then this kernel does not count, or has no room for more.</summary>
    private const int MaxIdleCalls = 3;

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<PeekedHello?> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Socket _socket;
    private readonly SocketLoop _loop;
    private readonly IngressOptions _limits;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly ITimer _timer;
    private int _place = -1;
    private int _minimum = 1;
    private int _idleCalls;

    /// <param name="started">The timestamp from which the limits count.</param>
    public UnreadHello(Socket socket, SocketLoop loop, IngressOptions limits, long started, TimeProvider time)
    {
        (_socket, _loop, _limits, _started, _time) = (socket, loop, limits, started, time);
        _timer = time.CreateTimer(static u => ((UnreadHello)u!).Look(isCall: false), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Looks at what is there now.</summary>
    /// <param name="seen">How many bytes; 0 is the end, -1 that there are none yet.</param>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static ClientHello Peek(Socket socket, out int seen)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxLook);
        try
        {
            seen = SocketTransfer.Peek(socket, buffer.AsSpan(0, MaxLook));
            return ClientHelloParser.Parse(buffer.AsMemory(0, Math.Max(seen, 0)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <returns>The hello, or why there is none. Null: it must be read, for it is too large for a look, or the kernel does not help.</returns>
    /// <exception cref="IOException">The kernel has no room for one more.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    /// <exception cref="OperationCanceledException">The server stops.</exception>
    public async Task<PeekedHello?> WaitAsync(CancellationToken stopping)
    {
        // The first look also tells the kernel when to call, before the loop knows the socket: what is there already is not told again.
        Look(isCall: false);
        if (!_over.Task.IsCompleted) _place = _loop.Add(_socket, this);
        using var stop = stopping.UnsafeRegister(static (u, stopped) => ((UnreadHello)u!)._over.TrySetCanceled(stopped), this);
        return await _over.Task;
    }

    public bool OnReady(SocketReadiness readiness)
    {
        Look(isCall: true);
        return false;
    }

    public void Dispose()
    {
        // What is still on its way here finds the end.
        _over.TrySetResult(null);
        lock (_gate)
        {
            _timer.Dispose();
            if (_place >= 0) _loop.Remove(_socket, _place);
            try
            {
                if (_minimum != 1) ReceiveQueue.TellFrom(_socket, 1);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // Gone: nobody will be told anything.
            }
        }
    }

    private void Look(bool isCall)
    {
        lock (_gate)
        {
            if (_over.Task.IsCompleted) return;
            try
            {
                if (TryFind(isCall) is { } hello) _over.TrySetResult(hello);
                else if (_minimum > MaxLook || _idleCalls >= MaxIdleCalls) _over.TrySetResult(null);
            }
            catch (Exception failure)
            {
                _over.TrySetException(failure);
            }
        }
    }

    private PeekedHello? TryFind(bool isCall)
    {
        while (true)
        {
            var hello = Peek(_socket, out var seen);
            if (hello.Verdict != ClientHelloVerdict.NeedMore) return PeekedHello.Of(hello);
            if (seen == 0) return PeekedHello.Failed(PeekFailure.Closed);
            var status = seen > 0 ? ReceiveQueue.StatusOf(_socket) : default;
            if (status.PeerEnded)
            {
                // What came before the end counts, though it may have come after the look.
                hello = Peek(_socket, out _);
                return hello.Verdict != ClientHelloVerdict.NeedMore ? PeekedHello.Of(hello) : PeekedHello.Failed(PeekFailure.Closed);
            }
            if (isCall && seen < _minimum) _idleCalls++;
            isCall = false;
            var left = _limits.PeekLeft(_time.GetElapsedTime(_started), seen > 0, status.Silent);
            if (left <= TimeSpan.Zero) return PeekedHello.Failed(PeekFailure.Timeout);
            // Never a moment too early, for that would only be another look.
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
            if (hello.MinimumLength == _minimum) return null;
            _minimum = hello.MinimumLength;
            if (_minimum > MaxLook) return null;
            ReceiveQueue.TellFrom(_socket, _minimum);
            // Bytes that came between the look and this need not be told again.
            if (_socket.Available < _minimum) return null;
        }
    }
}
