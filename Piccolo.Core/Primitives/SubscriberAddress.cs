using System.Net;
using System.Net.Sockets;

namespace Piccolo.Core.Primitives;

/// <summary>
/// What limits and sessions take for one client: a household or host has one address of IPv4, and of IPv6 at least a whole /64 to choose from.
/// </summary>
public static class SubscriberAddress
{
    private const int PrefixBytes = 8;

    /// <returns>The address of IPv4, also where it was mapped into IPv6 (RFC 4291, 2.5.5.2); of IPv6 the first address of its /64.</returns>
    public static IPAddress Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[PrefixBytes..].Clear();
        return new IPAddress(bytes);
    }
}
