using System.Collections.Immutable;
using System.Net;

namespace Piccolo.Core.Network;

/// <summary>One address of an interface and the length of its network's prefix, in bits.</summary>
public sealed record InterfaceAddress(IPAddress Address, int PrefixLength);

/// <summary>One network interface of this host at one moment.</summary>
/// <param name="Index">The kernel's number, which is the scope of link-local addresses; -1 when unknown.</param>
/// <param name="IsUp">Whether it may carry traffic; interfaces that do not say count as up.</param>
public sealed record HostInterface(
    string Name, int Index, bool IsUp, bool IsLoopback, ImmutableArray<InterfaceAddress> Addresses, ImmutableArray<IPAddress> Gateways)
{
    /// <summary>Whether it is a bridge that joins containers, and nothing else, with this host.</summary>
    public bool IsContainerBridge { get; init; }
}
