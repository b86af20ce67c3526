using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Auth;

/// <summary>Whose attempt it is: an address within a class of origin, so that a name on the tunnel never counts against the same address on the LAN.</summary>
/// <param name="IsLocal">The owner's own machine or network.</param>
/// <param name="Network">
/// The IPv6 network of an address of the own network, where every device has as many addresses as it likes: they count together until one of them has given
/// the right password. Null where the address counts for itself.
/// </param>
public readonly record struct GuessSource(string OriginClass, bool IsLocal, string Address, string? Network = null)
{
    /// <param name="address">Null when it is not known; all such attempts of a class count together.</param>
    public static GuessSource Of(string originClass, bool isLocal, IPAddress? address)
    {
        if (address is null) return new GuessSource(originClass, isLocal, "unknown");
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return new GuessSource(originClass, isLocal, address.ToString());
        // Without the zone of a link-local one.
        var whole = new IPAddress(address.GetAddressBytes()).ToString();
        var network = $"{SubscriberAddress.Of(address)}/64";
        // Beyond the own network one subscriber has at least a whole /64; on it every neighbour shares ours, the owner too.
        return isLocal ? new GuessSource(originClass, isLocal, whole, network) : new GuessSource(originClass, isLocal, network);
    }
}
