using System.Net;
using System.Net.Sockets;

namespace Piccolo.Core.Listeners;

/// <summary>Tries whether a TCP port can be bound now. The answer may be stale a moment later: whoever binds must still handle refusal.</summary>
public static class PortProbe
{
    public static bool CanBindLoopback(int port) => CanBind(new IPEndPoint(IPAddress.Loopback, port));

    /// <summary>In both families, where this host has both.</summary>
    public static bool CanBindAny(int port) => CanBind(new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port));

    private static bool CanBind(IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            // .NET sets SO_REUSEADDR on Linux, so that a connection in TIME_WAIT does not count as busy; a listener does.
            socket.Bind(endpoint);
            socket.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
