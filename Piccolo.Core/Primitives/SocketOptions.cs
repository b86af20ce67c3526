using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>Options of a descriptor that is no <see cref="Socket"/> (socket(7)). The numbers are those of every Linux architecture that .NET runs on.</summary>
internal static class SocketOptions
{
    public const int TcpLevel = 6;
    private const int SocketLevel = 1;
    private const int Linger = 13;
    private const int ReceiveLowWater = 18;

    /// <exception cref="SocketException">The descriptor has no such option, or is no socket.</exception>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public static void SetReceiveLowWater(SafeHandle socket, int bytes) => Set(socket, SocketLevel, ReceiveLowWater, [bytes]);

    /// <summary>Unsent bytes are dropped at the close and the other side sees a break. Of what has ended already there is nothing to do.</summary>
    public static void BreakOnClose(SafeHandle socket)
    {
        try
        {
            Set(socket, SocketLevel, Linger, [1, 0]);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <param name="value">Filled as far as the kernel has something to say.</param>
    /// <inheritdoc cref="SetReceiveLowWater"/>
    public static void Get(SafeHandle socket, int level, int option, Span<byte> value)
    {
        var length = value.Length;
        if (Posix.GetSocketOption(socket, level, option, ref MemoryMarshal.GetReference(value), ref length) != 0) throw Failure();
    }

    private static void Set(SafeHandle socket, int level, int option, ReadOnlySpan<int> value)
    {
        var bytes = MemoryMarshal.AsBytes(value);
        if (Posix.SetSocketOption(socket, level, option, in MemoryMarshal.GetReference(bytes), bytes.Length) != 0) throw Failure();
    }

    private static SocketException Failure() => new((int)SocketError.SocketError, Marshal.GetLastPInvokeErrorMessage());
}
