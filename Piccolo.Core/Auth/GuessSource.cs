using System.Net;
using System.Net.Sockets;

namespace Piccolo.Core.Auth;

/// <summary>Whose attempt it is: an address within a class of origin, so that a name on the tunnel never counts against the same address on the LAN.</summary>
/// <param name="IsLocal">The owner's own machine or network.</param>
public readonly record struct GuessSource(string OriginClass, bool IsLocal, string Address)
{
    private const int RemotePrefixBytes = 8;

    /// <param name="address">Null when it is not known; all such attempts of a class count together.</param>
    public static GuessSource Of(string originClass, bool isLocal, IPAddress? address) => new(originClass, isLocal, Name(address, isLocal));

    private static string Name(IPAddress? address, bool isLocal)
    {
        if (address is null) return "unknown";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();
        var bytes = address.GetAddressBytes();
        // Beyond the own network one subscriber has at least a whole /64; on it every neighbour shares ours.
        if (!isLocal) bytes.AsSpan(RemotePrefixBytes).Clear();
        return new IPAddress(bytes).ToString();
    }
}
