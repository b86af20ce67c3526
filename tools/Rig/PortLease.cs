using System.Net;
using System.Net.Sockets;

namespace Piccolo.Rig;

/// <summary>
/// A block of ports that nobody else gets before it is given back: no other lease of this process, and none of another process in this network namespace.
/// </summary>
public sealed class PortLease : IDisposable
{
    /// <summary>Ports in one lease.</summary>
    public const int Size = 64;

    // Between the appliance's own guard ports and the ports from which the kernel takes those of outgoing connections.
    private const int Lowest = 25_024;
    private const int Blocks = (32_768 - Lowest) / Size;

#pragma warning disable CA5394 // where the search begins, not a secret
    private static int _next = Random.Shared.Next(Blocks);
#pragma warning restore CA5394

    private readonly Socket _held;

    private PortLease(Socket held, int first) => (_held, First) = (held, first);

    /// <summary>The lowest of <see cref="Size"/> ports.</summary>
    public int First { get; }

    /// <summary>The first half as text, for <c>Piccolo:Ingress:GuardPorts</c>.</summary>
    public string GuardPorts => $"{First}-{First + Size / 2 - 1}";

    /// <summary>The second half as text, for <c>Piccolo:Ingress:PublicPorts</c>.</summary>
    public string PublicPorts => $"{First + Size / 2}-{First + Size - 1}";

    /// <exception cref="InvalidOperationException">Every block is leased, or has a port that another program uses.</exception>
    public static PortLease Take()
    {
        for (var tries = 0; tries < Blocks; tries++)
        {
            var first = Lowest + (int)((uint)Interlocked.Increment(ref _next) % Blocks) * Size;
            if (TryHold(first) is not { } held) continue;
            if (Enumerable.Range(first, Size).All(IsFree)) return new PortLease(held, first);
            held.Dispose();
        }
        throw new InvalidOperationException($"No {Size} free ports in a row between {Lowest} and 32767.");
    }

    public void Dispose() => _held.Dispose();

    /// <summary>Whether it can be bound on loopback at this moment, for TCP and for UDP.</summary>
    internal static bool IsFree(int port)
    {
        try
        {
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, port));
            tcp.Listen();
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A name without a file: the kernel frees it with the process that holds it, however that ends.</summary>
    private static Socket? TryHold(int first)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint($"\0piccolo-ports-{first}"));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
