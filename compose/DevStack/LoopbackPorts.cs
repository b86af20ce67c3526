using System.Net;
using System.Net.Sockets;

namespace Piccolo.DevStack;

/// <summary>Free loopback ports for programs that cannot choose one by themselves.</summary>
public static class LoopbackPorts
{
    /// <summary>As many different ports as asked for; free at this moment, for TCP and UDP.</summary>
    public static int[] Free(int count)
    {
        var held = new List<(TcpListener Tcp, UdpClient Udp)>();
        try
        {
            while (held.Count < count)
            {
                var tcp = new TcpListener(IPAddress.Loopback, 0);
                tcp.Start();
                try
                {
                    held.Add((tcp, new UdpClient(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)tcp.LocalEndpoint).Port))));
                }
                catch (SocketException)
                {
                    tcp.Stop();
                }
            }
            return [.. held.Select(h => ((IPEndPoint)h.Tcp.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var (tcp, udp) in held)
            {
                tcp.Stop();
                udp.Dispose();
            }
        }
    }
}
