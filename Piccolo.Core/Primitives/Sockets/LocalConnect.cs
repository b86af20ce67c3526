using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives.Sockets;

/// <summary>
/// Connects to ports of this machine, which takes no time unless the listener is too busy to answer (connect(2)). The runtime's own way would watch the socket
/// from then on, and wake threads for all that happens on it.
/// </summary>
public static class LocalConnect
{
    /// <summary>Connects, and waits for it.</summary>
    /// <param name="socket">Of IPv4, fresh; after a failure it is of no more use.</param>
    /// <param name="timeout">How long the thread waits at most.</param>
    /// <returns>False when nobody has answered so soon.</returns>
    /// <exception cref="SocketException">Nobody listens there (ConnectionRefused), or this machine can open no more.</exception>
    public static bool Wait(Socket socket, int port, TimeSpan timeout)
    {
        // What bounds a blocking connect, too (socket(7)).
        socket.SendTimeout = (int)timeout.TotalMilliseconds;
        return TryConnect(socket, port);
    }

    /// <summary>Begins to connect; room for bytes tells the end of it.</summary>
    /// <param name="socket">Of IPv4, fresh; after a failure it is of no more use.</param>
    /// <returns>Whether it is over already.</returns>
    /// <exception cref="SocketException">Nobody listens there (ConnectionRefused), or this machine can open no more.</exception>
    public static bool Begin(Socket socket, int port)
    {
        socket.Blocking = false;
        return TryConnect(socket, port);
    }

    /// <summary>Connects without waiting, which a listener that has room takes at once.</summary>
    /// <param name="socket">Of IPv4, fresh; after a failure it is of no more use.</param>
    /// <returns>False when it has not answered yet.</returns>
    /// <exception cref="SocketException">Nobody listens there (ConnectionRefused), or this machine can open no more.</exception>
    public static bool AtOnce(Socket socket, int port)
    {
        // Within the machine the answer is there by the end of the call, which says that it is under way all the same. A second call tells.
        return Begin(socket, port) || TryConnect(socket, port);
    }

    /// <summary>How a connect that was begun has ended.</summary>
    /// <exception cref="SocketException">Nobody listens there (ConnectionRefused), or this machine can open no more.</exception>
    public static void End(Socket socket)
    {
        if (socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error and not 0) throw new SocketException(error);
    }

    private static bool TryConnect(Socket socket, int port)
    {
        // struct sockaddr_in: family in the machine's order, port and address in the network's.
        Span<byte> address = stackalloc byte[16];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, (ushort)AddressFamily.InterNetwork);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], (ushort)port);
        IPAddress.Loopback.TryWriteBytes(address[4..], out _);
        if (Posix.Connect(socket.SafeHandle, ref MemoryMarshal.GetReference(address), address.Length) == 0) return true;
        return Marshal.GetLastPInvokeError() switch
        {
            Posix.EINPROGRESS or Posix.EALREADY or Posix.EAGAIN or Posix.EINTR => false,
            Posix.ECONNREFUSED => throw new SocketException((int)SocketError.ConnectionRefused),
            // All ports of this machine are in use towards that one: a want of ours, and no word about the app.
            Posix.EADDRNOTAVAIL => throw new SocketException((int)SocketError.AddressNotAvailable),
            _ => throw new SocketException((int)SocketError.SocketError),
        };
    }
}
