using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>
/// What of a TCP connection lies in the kernel and was not read yet (tcp(7), Linux). For those who must wait for so and so many bytes and leave them where
/// they are: the kernel counts them and keeps their time, so that nobody wakes for each.
/// </summary>
public static class ReceiveQueue
{
    private const int TcpInfo = 11;

    // struct tcp_info of linux/tcp.h: eight single bytes, then words; the twelfth is tcpi_last_data_recv, in milliseconds.
    private const int LastDataOffset = 8 + 11 * sizeof(uint);

    /// <summary>Who sends faster than this is read does not keep us.</summary>
    private const int MostDropped = 1024 * 1024;

    /// <summary>Takes off what is there now and forgets it: unread bytes would turn a close into a break. Of a broken connection there is nothing.</summary>
    public static void Drop(SafeHandle socket)
    {
        Span<byte> unread = stackalloc byte[4096];
        try
        {
            for (var left = MostDropped; left > 0;)
            {
                var taken = SocketTransfer.Receive(socket, unread);
                if (taken < unread.Length) return;
                left -= taken;
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Nobody is there any more.
        }
    }

    /// <returns>How long ago the other side sent something last.</returns>
    /// <exception cref="SocketException">This is no TCP connection.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static TimeSpan SilenceOf(SafeHandle socket)
    {
        Span<byte> info = stackalloc byte[LastDataOffset + sizeof(uint)];
        SocketOptions.Get(socket, SocketOptions.TcpLevel, TcpInfo, info);
        return TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32LittleEndian(info[LastDataOffset..]));
    }

    /// <summary>
    /// Has the kernel call a socket readable only when so many bytes are there, or their end (socket(7), SO_RCVLOWAT). Default is 1. When they are there
    /// already, who watches the socket is told.
    /// </summary>
    /// <exception cref="SocketException">This is no socket.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static void TellFrom(SafeHandle socket, int bytes) => SocketOptions.SetReceiveLowWater(socket, bytes);
}
