using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives.Sockets;

/// <summary>Takes clients off a listening socket without waiting (accept4(2)).</summary>
public static class SocketAccept
{
    // struct sockaddr_in and sockaddr_in6: family, port, then the address, in IPv6 behind a word of flow information and before the scope.
    private const int AddressLength = 28;
    private const int PortOffset = 2;
    private const int V4Offset = 4;
    private const int V6Offset = 8;
    private const int ScopeOffset = 24;

    /// <param name="listening">Not blocking; of TCP.</param>
    /// <param name="remote">Who it is.</param>
    /// <returns>Null when nobody waits.</returns>
    /// <exception cref="IOException">Nobody can be taken now, most likely because no descriptor is free.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static Socket? TryAccept(Socket listening, [NotNullWhen(true)] out IPEndPoint? remote)
    {
        Span<byte> address = stackalloc byte[AddressLength];
        remote = null;
        while (true)
        {
            var length = AddressLength;
            var descriptor = Posix.Accept(listening.SafeHandle, ref MemoryMarshal.GetReference(address), ref length, Posix.SOCK_CLOEXEC);
            if (descriptor >= 0)
            {
                if (ToSocket(descriptor) is not { } client) continue;
                remote = Read(address);
                return client;
            }
            switch (Marshal.GetLastPInvokeError())
            {
                case Posix.EAGAIN: return null;
                // A client that went before we came to it is not the next one's fault.
                case Posix.EINTR or Posix.ECONNABORTED: continue;
                default: throw new IOException(Marshal.GetLastPInvokeErrorMessage());
            }
        }
    }

    /// <returns>Null for a client that has gone already.</returns>
    private static Socket? ToSocket(int descriptor)
    {
        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        try
        {
            return new Socket(handle);
        }
        catch (SocketException)
        {
            handle.Dispose();
            return null;
        }
    }

    private static IPEndPoint Read(ReadOnlySpan<byte> address)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[PortOffset..]);
        if (MemoryMarshal.Read<ushort>(address) != Posix.AF_INET6) return new IPEndPoint(new IPAddress(address.Slice(V4Offset, 4)), port);
        return new IPEndPoint(new IPAddress(address.Slice(V6Offset, 16), MemoryMarshal.Read<uint>(address[ScopeOffset..])), port);
    }
}
