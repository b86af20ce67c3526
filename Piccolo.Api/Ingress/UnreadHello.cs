using System.Buffers;
using System.Net.Sockets;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress;

/// <summary>
/// A ClientHello that is awaited on a socket of which nothing is read. The kernel counts its bytes and keeps their time, so that who sends them one by one
/// wakes nobody: there is a look at the first byte, one when the length of the whole is known, one at the last. The socket is given back as it was. All of it,
/// and what follows, happens on the loop's thread.
/// </summary>
/// <param name="started">The timestamp from which the limits count.</param>
internal sealed class UnreadHello(Socket socket, SocketLoop loop, HelloDeadlines deadlines, IngressOptions limits, long started, TimeProvider time) : ISocketWatcher
{
    private const int MaxLook = 16 * 1024;

    /// <summary>So often a socket may call for nothing; then this kernel does not count, or has no room for more.</summary>
    private const int MaxIdleCalls = 3;

    private readonly TaskCompletionSource<PeekedHello?> _over = new();
    private CancellationToken _stopping;
    private CancellationTokenRegistration _stop;
    private volatile bool _isStopped;
    private bool _isOver;
    private int _place = -1;
    private int _minimum = 1;
    private int _idleCalls;

    /// <summary>The timestamp at which it is to be looked at although nothing has come.</summary>
    public long Due { get; private set; }

    /// <summary>Where <see cref="HelloDeadlines"/> keeps it.</summary>
    public int Seat { get; set; }

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
    public Task<PeekedHello?> WaitAsync(CancellationToken stopping)
    {
        _stopping = stopping;
        if (SocketLoop.Current == loop) Look(isCall: false);
        else loop.Post(this);
        return _over.Task;
    }

    public bool OnReady(SocketReadiness readiness)
    {
        if (!_isOver) Look(isCall: readiness != SocketReadiness.None);
        return false;
    }

    /// <summary><see cref="Due"/> has come.</summary>
    public void OnDue() => Look(isCall: false);

    private void Stop()
    {
        _isStopped = true;
        loop.Post(this);
    }

    private void Look(bool isCall)
    {
        try
        {
            if (_isStopped) End().SetCanceled();
            else if (TryFind(isCall) is { } hello) End().SetResult(hello);
            else if (_minimum > MaxLook || _idleCalls >= MaxIdleCalls) End().SetResult(null);
            else if (_place < 0) Watch();
        }
        catch (Exception failure) when (!_isOver)
        {
            End().SetException(failure);
        }
    }

    /// <summary>After the first look, which told the kernel when to call: what is there already is not told again.</summary>
    private void Watch()
    {
        _place = loop.Add(socket, this);
        deadlines.Add(this);
        // Here, on the loop, so that whoever ends it finds the registration whole.
        _stop = _stopping.UnsafeRegister(static hello => ((UnreadHello)hello!).Stop(), this);
    }

    /// <returns>Whose waiting is over. What is still on its way here finds the end.</returns>
    private TaskCompletionSource<PeekedHello?> End()
    {
        _isOver = true;
        _stop.Dispose();
        if (_place >= 0)
        {
            loop.Remove(socket, _place);
            deadlines.Remove(this);
        }
        try
        {
            if (_minimum != 1) ReceiveQueue.TellFrom(socket, 1);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Gone: nobody will be told anything.
        }
        return _over;
    }

    private PeekedHello? TryFind(bool isCall)
    {
        while (true)
        {
            var hello = Peek(socket, out var seen);
            if (hello.Verdict != ClientHelloVerdict.NeedMore) return PeekedHello.Of(hello);
            if (seen == 0) return PeekedHello.Failed(PeekFailure.Closed);
            var status = seen > 0 ? ReceiveQueue.StatusOf(socket) : default;
            if (status.PeerEnded)
            {
                // What came before the end counts, though it may have come after the look.
                hello = Peek(socket, out _);
                return hello.Verdict != ClientHelloVerdict.NeedMore ? PeekedHello.Of(hello) : PeekedHello.Failed(PeekFailure.Closed);
            }
            if (isCall && seen < _minimum) _idleCalls++;
            isCall = false;
            var left = limits.PeekLeft(time.GetElapsedTime(started), seen > 0, status.Silent);
            if (left <= TimeSpan.Zero) return PeekedHello.Failed(PeekFailure.Timeout);
            // Never a moment too early, for that would only be another look.
            Due = time.GetTimestamp() + (long)Math.Ceiling(left.TotalSeconds * time.TimestampFrequency);
            if (hello.MinimumLength == _minimum) return null;
            _minimum = hello.MinimumLength;
            if (_minimum > MaxLook) return null;
            ReceiveQueue.TellFrom(socket, _minimum);
            // Bytes that came between the look and this need not be told again.
            if (socket.Available < _minimum) return null;
        }
    }
}
