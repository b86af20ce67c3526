using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Auth;

/// <summary>
/// Where a session under the device's own names is worth something: apps share these names on other ports, cookies ignore ports, and a listener that is not
/// HTTP hands its app whatever the browser sends. What an app sees there must open nothing for it, nor for whoever it tells (ADR 0022).
/// </summary>
public static class SessionPlace
{
    /// <param name="isLocal">This machine or its own network: there an address is one device's. Beyond, a subscriber has a /64.</param>
    /// <returns>Null when the address is not known: then the session is worth something only where it is not known either.</returns>
    public static string? Of(IPAddress? address, bool isLocal)
    {
        if (address is null) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        // "localhost" is either.
        if (address.Equals(IPAddress.IPv6Loopback)) address = IPAddress.Loopback;
        if (isLocal || address.AddressFamily != AddressFamily.InterNetworkV6) return new IPAddress(address.GetAddressBytes()).ToString();
        return $"{SubscriberAddress.Of(address)}/64";
    }
}
