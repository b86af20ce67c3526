using System.Net.Sockets;
using System.Runtime.InteropServices;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Network;

/// <summary>Sockets of netlink(7), for which .NET has no address family.</summary>
internal static class Netlink
{
    // RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE
    private const uint Groups = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

    // struct sockaddr_nl: family, padding, port id, groups; all in the host's byte order.
    private const int AddressBytes = 12;
    private const int GroupsOffset = 8;

    /// <returns>A socket that receives a message for each change of links, addresses and routes.</returns>
    /// <exception cref="IOException">The kernel refused, most likely because no descriptor is free.</exception>
    public static Socket OpenRouteEvents()
    {
        var descriptor = Posix.Socket(Posix.AF_NETLINK, Posix.SOCK_RAW | Posix.SOCK_CLOEXEC, Posix.NETLINK_ROUTE);
        if (descriptor < 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        Span<byte> address = stackalloc byte[AddressBytes];
        address.Clear();
        MemoryMarshal.Write(address, (ushort)Posix.AF_NETLINK);
        MemoryMarshal.Write(address[GroupsOffset..], Groups);
        if (Posix.Bind(handle, ref MemoryMarshal.GetReference(address), AddressBytes) < 0)
        {
            var reason = Marshal.GetLastPInvokeErrorMessage();
            handle.Dispose();
            throw new IOException(reason);
        }
        return new Socket(handle);
    }
}
