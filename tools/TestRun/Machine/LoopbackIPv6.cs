using System.Net;
using System.Net.Sockets;

namespace Piccolo.TestRun.Machine;

/// <summary>The appliance listens on both families, and tests dial both.</summary>
internal static class LoopbackIPv6
{
    public const string Sentence = "this machine has no IPv6 on its loopback, and tests dial [::1]: sysctl net.ipv6.conf.lo.disable_ipv6=0";

    /// <param name="bind">Takes any port of an address.</param>
    /// <returns>A sentence, or null when there is IPv6.</returns>
    public static string? Fault(Action<IPAddress> bind)
    {
        try
        {
            bind(IPAddress.IPv6Loopback);
            return null;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported
            or SocketError.NetworkUnreachable or SocketError.OperationNotSupported or SocketError.ProtocolNotSupported)
        {
            return $"{Sentence} ({e.Message})";
        }
    }

    public static void Bind(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 0));
    }
}
