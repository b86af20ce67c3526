using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>Takes clients off a listening socket without waiting (accept4(2)).</summary>
public static class SocketAccept
{
    /// <param name="listening">Not blocking.</param>
    /// <returns>Null when nobody waits.</returns>
    /// <exception cref="IOException">Nobody can be taken now, for want of descriptors most likely.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static Socket? TryAccept(Socket listening)
    {
        while (true)
        {
            var descriptor = Posix.Accept(listening.SafeHandle, 0, 0, Posix.CloseOnExec);
            if (descriptor >= 0) return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            switch (Marshal.GetLastPInvokeError())
            {
                case Posix.WouldBlock: return null;
                // A client that went before we came to it is not the next one's fault.
                case Posix.Interrupted or Posix.ConnectionAborted: continue;
                default: throw new IOException(Marshal.GetLastPInvokeErrorMessage());
            }
        }
    }
}
