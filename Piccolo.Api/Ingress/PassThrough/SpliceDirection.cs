using System.Buffers;
using System.Net.Sockets;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Api.Ingress.PassThrough;

/// <summary>One direction of a <see cref="SocketSplice"/>, on the thread of its loop.</summary>
/// <param name="alive">Called before what came is passed on: who has seen it may rely on the splice to know.</param>
internal sealed class SpliceDirection(Socket source, Socket target, SocketLoop loop, Action alive)
{
    /// <summary>So many messages in a row, then others get their turn.</summary>
    private const int FairShare = 4;

    /// <summary>
    /// So much is taken at a time, and held at most while the target has no room. Of more than this the kernel goes on holding what the target does not
    /// take.
    /// </summary>
    internal const int Piece = 16 * 1024;

    private byte[]? _held;
    private int _heldFrom;
    private int _heldTo;
    private bool _readable;
    private bool _sourceEnds;
    private bool _isBulk;
    private bool _isFull;
    private int _look = Piece;

    public long Bytes { get; private set; }

    /// <summary>Whether bytes wait for room at the target.</summary>
    public bool IsHeldUp => _isFull || _heldFrom != _heldTo;

    /// <summary>How many bytes it keeps in memory of its own now.</summary>
    internal int Held => _held?.Length ?? 0;

    /// <summary>Whether the source has ended and the target knows.</summary>
    public bool IsOver { get; private set; }

    /// <returns>Whether there is more to do.</returns>
    /// <exception cref="SocketException">One side is broken.</exception>
    public bool OnSource(SocketReadiness readiness)
    {
        // Any of them: what it is comes out when it is read.
        if ((readiness & ~SocketReadiness.Writable) != 0) _readable = true;
        if ((readiness & ~(SocketReadiness.Writable | SocketReadiness.Readable)) != 0) _sourceEnds = true;
        return Copy();
    }

    /// <returns>Whether there is more to do.</returns>
    /// <exception cref="SocketException">One side is broken.</exception>
    public bool OnTarget(SocketReadiness readiness)
    {
        // Nobody is left to read: without this a source that is never silent would not learn it.
        if ((readiness & SocketReadiness.Failed) != 0) throw new SocketException((int)SocketError.ConnectionReset);
        if ((readiness & SocketReadiness.Writable) != 0) _isFull = false;
        return (_held is not null || _isBulk) && Copy();
    }

    public void GiveBack()
    {
        if (_held is not { } held) return;
        _held = null;
        (_heldFrom, _heldTo) = (0, 0);
        ArrayPool<byte>.Shared.Return(held);
    }

    private bool Copy()
    {
        for (var message = 0; message < FairShare; message++)
        {
            if (_isFull || !Flush()) return false;
            if (!_readable || IsOver)
            {
                GiveBack();
                return false;
            }
            if (_isBulk ? !CopyBulk() : !CopyPiece()) return false;
        }
        return _readable && !IsHeldUp;
    }

    /// <returns>False when the target has no room for all of it.</returns>
    private bool CopyPiece()
    {
        var buffer = (_held is { } own ? own.AsSpan() : loop.Buffer)[..Piece];
        var received = SocketTransfer.Receive(source, buffer);
        if (received <= 0)
        {
            Emptied(received);
            return true;
        }
        Bytes += received;
        alive();
        // Less than there was room for: that was all, and what comes next is told. The end is not told twice.
        if (received < Piece && !_sourceEnds) _readable = false;
        _isBulk = received == Piece;
        var sent = SendAll(buffer[..received]);
        if (sent == received) return true;
        if (_held is null)
        {
            _held = ArrayPool<byte>.Shared.Rent(Piece);
            buffer[sent..received].CopyTo(_held);
            (_heldFrom, _heldTo) = (0, received - sent);
        }
        else
        {
            (_heldFrom, _heldTo) = (sent, received);
        }
        return false;
    }

    /// <summary>
    /// There is much: it is looked at, sent, and only what was sent is taken. A target that is slower than its source leaves the rest where it is, in the
    /// kernel, which holds the source back by it.
    /// </summary>
    /// <returns>False when the target has no room for all of it.</returns>
    private bool CopyBulk()
    {
        GiveBack();
        var seen = SocketTransfer.Peek(source, loop.Buffer[.._look]);
        if (seen <= 0)
        {
            _isBulk = false;
            Emptied(seen);
            return true;
        }
        var sent = SendAll(loop.Buffer[..seen]);
        if (sent > 0)
        {
            SocketTransfer.Discard(source, loop.Buffer[..sent]);
            Bytes += sent;
            alive();
        }
        _isFull = sent < seen;
        // Not much more than it takes, for what it does not take is copied for nothing.
        if (seen < _look && !_sourceEnds && !_isFull) _readable = false;
        _look = Math.Clamp(_isFull ? sent * 2 : _look * 2, Piece, loop.Buffer.Length);
        if (_isFull) return false;
        _isBulk = seen >= Piece;
        return true;
    }

    /// <param name="received">0 for the end, or that there is nothing now.</param>
    private void Emptied(int received)
    {
        _readable = false;
        if (received == 0) PassEndOn();
    }

    /// <returns>Whether nothing is left.</returns>
    private bool Flush()
    {
        if (_heldFrom == _heldTo) return true;
        // Who is slow to take is not silent.
        alive();
        _heldFrom += SendAll(_held.AsSpan(_heldFrom, _heldTo - _heldFrom));
        return _heldFrom == _heldTo;
    }

    private int SendAll(ReadOnlySpan<byte> bytes)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            var taken = SocketTransfer.Send(target, bytes[sent..]);
            if (taken < 0) break;
            sent += taken;
        }
        return sent;
    }

    private void PassEndOn()
    {
        IsOver = true;
        try
        {
            target.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It has gone, and so knows.
        }
    }
}
