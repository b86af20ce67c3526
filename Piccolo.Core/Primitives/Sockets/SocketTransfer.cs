using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives.Sockets;

/// <summary>Bytes into and out of a socket without waiting (recv(2), send(2)).</summary>
public static class SocketTransfer
{
    /// <summary>What <see cref="ReceiveOrBroken"/> and <see cref="SendOrBroken"/> say of a broken connection.</summary>
    public const int Broken = -2;

    private const int MaxDrainedBytes = 1024 * 1024;

    /// <summary>Takes what is there, without waiting.</summary>
    /// <returns>How much; 0 is the end, -1 that there is nothing now.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int Receive(Socket socket, Span<byte> buffer) => OrThrow(ReceiveWith(Posix.MSG_DONTWAIT, socket, buffer));

    /// <summary>As <see cref="Receive"/>, for those to whom a break is nothing special: most TLS clients leave so, with our last bytes unread.</summary>
    /// <returns><see cref="Broken"/> for a broken connection.</returns>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int ReceiveOrBroken(Socket socket, Span<byte> buffer) => ReceiveWith(Posix.MSG_DONTWAIT, socket, buffer);

    /// <summary>As <see cref="Receive"/>, but leaves what it saw.</summary>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int Peek(Socket socket, Span<byte> buffer) => OrThrow(ReceiveWith(Posix.MSG_DONTWAIT | Posix.MSG_PEEK, socket, buffer));

    /// <summary>Takes what <see cref="Peek"/> saw, without a copy (recv(2), MSG_TRUNC as tcp(7) has it).</summary>
    /// <param name="seen">As much of it; the memory itself is not used.</param>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static void Discard(Socket socket, Span<byte> seen)
    {
        while (!seen.IsEmpty && OrThrow(ReceiveWith(Posix.MSG_DONTWAIT | Posix.MSG_TRUNC, socket, seen)) is var taken and > 0) seen = seen[taken..];
    }

    /// <summary>Takes what is there now and forgets it: unread bytes would turn a close into a reset. Of a broken connection there is nothing.</summary>
    public static void Drain(Socket socket)
    {
        Span<byte> unread = stackalloc byte[4096];
        try
        {
            // A client that sends faster than this is read does not keep us.
            for (var left = MaxDrainedBytes; left > 0;)
            {
                var taken = ReceiveOrBroken(socket, unread);
                if (taken < unread.Length) return;
                left -= taken;
            }
        }
        catch (ObjectDisposedException)
        {
            // There is nothing to take.
        }
    }

    /// <summary>Gives what there is room for, without waiting.</summary>
    /// <returns>How much; -1 when there is no room now.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int Send(Socket socket, ReadOnlySpan<byte> bytes) => OrThrow(SendOrBroken(socket, bytes));

    /// <inheritdoc cref="Send"/>
    /// <returns><see cref="Broken"/> for a broken connection.</returns>
    public static int SendOrBroken(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            var sent = (int)Posix.Send(socket.SafeHandle, ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length, Posix.MSG_DONTWAIT | Posix.MSG_NOSIGNAL);
            if (sent >= 0) return sent;
            if (Failure() is var failure && failure != 0) return failure;
        }
    }

    private static int ReceiveWith(int flags, Socket socket, Span<byte> buffer)
    {
        while (true)
        {
            var received = (int)Posix.Receive(socket.SafeHandle, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length, flags);
            if (received >= 0) return received;
            if (Failure() is var failure && failure != 0) return failure;
        }
    }

    private static int OrThrow(int transferred) => transferred != Broken ? transferred : throw new SocketException((int)SocketError.ConnectionReset);

    /// <returns>0: once more. -1: there is nothing to do but wait. <see cref="Broken"/>: which of the kernel's reasons it was makes no difference to
    /// anyone.</returns>
    private static int Failure() => Marshal.GetLastPInvokeError() switch
    {
        Posix.EINTR => 0,
        Posix.EAGAIN => -1,
        _ => Broken,
    };
}
