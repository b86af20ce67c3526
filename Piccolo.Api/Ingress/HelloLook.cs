using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress;

/// <summary>A look at a ClientHello where it lies, in the kernel.</summary>
internal static class HelloLook
{
    private const int Length = 16 * 1024;

    /// <summary>Whether the whole of it could not be seen; it must be read.</summary>
    public static bool IsTooSmallFor(in ClientHello hello) => hello.MinimumLength > Length;

    /// <param name="seen">How many bytes; 0 is the end, -1 that there are none yet.</param>
    /// <exception cref="SocketException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static ClientHello At(SafeHandle socket, out int seen)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Length);
        try
        {
            seen = SocketTransfer.Peek(socket, buffer.AsSpan(0, Length));
            return ClientHelloParser.Parse(buffer.AsMemory(0, Math.Max(seen, 0)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
