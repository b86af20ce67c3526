using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>One network that an interface of this host is part of.</summary>
internal sealed record ConnectedNetwork(string Interface, int InterfaceIndex, IPAddress Address, int PrefixLength)
{
    /// <summary>Whether containers of this host are behind it.</summary>
    public bool IsContainer { get; init; }

    /// <summary>Whether <paramref name="address"/> has the same leading bits. A prefix of 0 names no network.</summary>
    public bool Contains(IPAddress address)
    {
        if (address.AddressFamily != Address.AddressFamily || PrefixLength == 0) return false;
        // Every interface has fe80::/64: only the scope tells them apart.
        if (address.IsIPv6LinkLocal) return Address.IsIPv6LinkLocal && address.ScopeId == InterfaceIndex;
        Span<byte> own = stackalloc byte[16], other = stackalloc byte[16];
        Address.TryWriteBytes(own, out var length);
        address.TryWriteBytes(other, out _);
        var bits = Math.Min(PrefixLength, length * 8);
        var whole = bits / 8;
        if (!own[..whole].SequenceEqual(other[..whole])) return false;
        return bits % 8 == 0 || (own[whole] ^ other[whole]) >> (8 - bits % 8) == 0;
    }
}

/// <summary>The networks of this host at one moment. Immutable.</summary>
internal sealed class NetworkMap(IEnumerable<ConnectedNetwork> networks)
{
    // The longest prefix wins; of two equal ones the container's, which is trusted less.
    private readonly ImmutableArray<ConnectedNetwork> _networks =
        [.. networks.OrderByDescending(n => n.PrefixLength).ThenByDescending(n => n.IsContainer)];

    private readonly FrozenSet<IPAddress> _own = networks.Select(n => n.Address).Select(WithoutScope).ToFrozenSet();

    /// <param name="ofContainers">The networks that the container engine has made.</param>
    /// <returns>No map and the reason when the interfaces cannot be read now.</returns>
    public static (NetworkMap? Map, string? Reason) OfThisHost(IReadOnlyCollection<IPNetwork> ofContainers)
    {
        if (!HostInterfaces.TryRead(out var interfaces, out var reason)) return (null, reason);
        return (Of(interfaces, ofContainers), null);
    }

    /// <summary>An interface with a gateway leads out of this host, whatever else is joined with it.</summary>
    internal static NetworkMap Of(IEnumerable<HostInterface> interfaces, IReadOnlyCollection<IPNetwork> ofContainers) => new(
        from face in interfaces
        from own in face.Addresses
        select new ConnectedNetwork(face.Name, face.Index, own.Address, own.PrefixLength)
        {
            IsContainer = face.Gateways.IsEmpty && (face.IsContainerBridge || face.Addresses.Any(a => ofContainers.Any(n => n.Contains(a.Address)))),
        });

    /// <summary>Whether this host itself answers at the address.</summary>
    public bool IsOwn(IPAddress address) => OriginClassifier.IsLoopback(address) || _own.Contains(WithoutScope(address));

    public ConnectionOrigin Classify(IPAddress address)
    {
        if (OriginClassifier.IsLoopback(address)) return ConnectionOrigin.Loopback;
        foreach (var network in _networks)
            if (network.Contains(address)) return network.IsContainer ? ConnectionOrigin.Container : ConnectionOrigin.Lan;
        return ConnectionOrigin.Forwarded;
    }

    private static IPAddress WithoutScope(IPAddress address) => address.IsIPv6LinkLocal ? new IPAddress(address.GetAddressBytes()) : address;
}
