using System.Net.Sockets;

namespace Piccolo.Api.Ingress.EventLoop;

internal static class SocketEnds
{
    /// <summary>Ends a connection so that the other side sees a break (RST) and not a regular end; whoever waits on the socket is woken.</summary>
    public static void Break(this Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
        socket.Dispose();
    }
}
