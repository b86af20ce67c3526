using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Piccolo.Core.Primitives;

/// <summary>Which addresses a stranger on the Internet can have or dial. For what is shown and recorded, never for trust.</summary>
internal static class PublicAddress
{
    /// <summary>
    /// IANA special-purpose registries (RFC 6890): this network, private, shared (RFC 6598), loopback, link-local, multicast, reserved; of IPv6 the same with
    /// unique local, the former site-local, and addresses that hold one of IPv4 in a form that nobody routes.
    /// </summary>
    private static readonly ImmutableArray<IPNetwork> Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(text => IPNetwork.Parse(text)),
    ];

    public static bool Is(IPAddress address)
    {
        var plain = address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        return !Special.Any(n => n.Contains(plain));
    }
}
