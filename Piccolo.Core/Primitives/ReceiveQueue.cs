using System.Buffers.Binary;
using System.Net.Sockets;

namespace Piccolo.Core.Primitives;

/// <param name="PeerEnded">The other side sends nothing more; its last bytes may still be here.</param>
/// <param name="Silent">How long ago it sent something last.</param>
public readonly record struct TcpStatus(bool PeerEnded, TimeSpan Silent);

/// <summary>
/// What of a TCP connection lies in the kernel and was not read yet (tcp(7), Linux). For those who must wait for so and so many bytes and leave them where
/// they are: the kernel counts them and keeps their time, so that nobody wakes for each.
/// </summary>
public static class ReceiveQueue
{
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;

    // struct tcp_info of linux/tcp.h: eight single bytes, of which the first is the state, then words; the twelfth is tcpi_last_data_recv, in milliseconds.
    private const int LastDataOffset = 8 + 11 * sizeof(uint);
    private const byte Closed = 7;
    private const byte PeerEnded = 8;
    private const byte LastAcknowledgement = 9;
    private const byte Closing = 11;

    /// <summary>Takes off what is there now and forgets it: unread bytes would turn a close into a break. Of a broken connection there is nothing.</summary>
    public static void Drop(Socket socket)
    {
        Span<byte> unread = stackalloc byte[4096];
        try
        {
            for (var left = socket.Available; left > 0;)
            {
                var taken = SocketTransfer.Receive(socket, unread);
                if (taken <= 0) return;
                left -= taken;
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Nobody is there any more.
        }
    }

    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static TcpStatus StatusOf(Socket socket)
    {
        Span<byte> info = stackalloc byte[LastDataOffset + sizeof(uint)];
        socket.GetRawSocketOption(TcpLevel, TcpInfo, info);
        var silent = TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32LittleEndian(info[LastDataOffset..]));
        return new TcpStatus(info[0] is Closed or PeerEnded or LastAcknowledgement or Closing, silent);
    }

    /// <summary>Has the kernel call a socket readable only when so many bytes are there, or their end (socket(7), SO_RCVLOWAT). Default is 1.</summary>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static void TellFrom(Socket socket, int bytes) => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater, bytes);
}
