using System.Net;
using System.Net.Sockets;

namespace Piccolo.Core.Remote.Naming;

/// <summary>Which addresses no stranger on the internet can dial. For what is told to the owner, never for trust.</summary>
internal static class NetworkAddresses
{
    // RFC 6890: this host, private, shared (RFC 6598), loopback, link-local; IPv6 likewise with unique local addresses.
    private static readonly IPNetwork[] Inner =
    [
        .. new[] { "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::/128", "::1/128", "fc00::/7", "fe80::/10" }.Select(IPNetwork.Parse),
    ];

    public static bool IsInner(IPAddress address)
    {
        var plain = address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        return Inner.Any(n => n.Contains(plain));
    }
}
