using System.Buffers;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress;

/// <summary>One direction of a <see cref="SocketSplice"/>, on the thread of its loop.</summary>
/// <param name="alive">Called before what came is passed on: who has seen it may rely on the splice to know.</param>
internal sealed class SpliceDirection(Socket source, Socket target, SocketLoop loop, Action alive)
{
    /// <summary>So many messages in a row, then others get their turn.</summary>
    private const int FairShare = 4;

    private byte[]? _held;
    private int _heldFrom;
    private int _heldTo;
    private int _heldMost;
    private bool _readable;
    private bool _sourceEnds;

    public long Bytes { get; private set; }

    /// <summary>Whether bytes wait for room at the target.</summary>
    public bool IsHeldUp => _heldFrom != _heldTo;

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
        return _held is not null && Copy();
    }

    /// <summary>Wiped, for on a port of the LAN it may be clear text.</summary>
    public void GiveBack()
    {
        if (_held is not { } held) return;
        _held = null;
        held.AsSpan(0, _heldMost).Clear();
        (_heldFrom, _heldTo, _heldMost) = (0, 0, 0);
        ArrayPool<byte>.Shared.Return(held);
    }

    private bool Copy()
    {
        for (var message = 0; message < FairShare; message++)
        {
            if (!Flush()) return false;
            if (!_readable || IsOver)
            {
                GiveBack();
                return false;
            }
            var buffer = _held is { } own ? own.AsSpan() : loop.Buffer;
            var received = SocketTransfer.Receive(source, buffer);
            if (received <= 0)
            {
                _readable = false;
                if (received == 0) PassEndOn();
                continue;
            }
            Note(received);
            // Less than there was room for: that was all, and what comes next is told. The end is not told twice.
            if (received < buffer.Length && !_sourceEnds) _readable = false;
            Pass(buffer[..received]);
        }
        return _readable && !IsHeldUp;
    }

    private void Note(int received)
    {
        Bytes += received;
        alive();
        if (_held is null) loop.Used(received);
        else _heldMost = Math.Max(_heldMost, received);
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        var sent = SendAll(bytes);
        if (sent == bytes.Length) return;
        if (_held is null)
        {
            // The receiver is slow: what it did not take waits here, and what comes next goes the same way without being copied.
            _held = ArrayPool<byte>.Shared.Rent(loop.Buffer.Length);
            bytes[sent..].CopyTo(_held);
            (_heldFrom, _heldTo, _heldMost) = (0, bytes.Length - sent, bytes.Length - sent);
            return;
        }
        (_heldFrom, _heldTo) = (sent, bytes.Length);
    }

    /// <returns>Whether nothing is left.</returns>
    private bool Flush()
    {
        if (!IsHeldUp) return true;
        // Who is slow to take is not silent.
        alive();
        _heldFrom += SendAll(_held.AsSpan(_heldFrom, _heldTo - _heldFrom));
        return !IsHeldUp;
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
