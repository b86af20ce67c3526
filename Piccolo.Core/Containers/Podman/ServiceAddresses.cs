using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Containers.Podman;

/// <summary>Which address of the app's network each of its services has. Pure: the same names in the same network always give the same addresses.</summary>
internal static class ServiceAddresses
{
    /// <summary>
    /// From the upper half of the range: the engine hands out the lower half first, to whoever asks for none. The address follows from the service's own
    /// name as long as no other one wants the same, so that a service more or less seldom moves another.
    /// </summary>
    /// <returns>Null where the range is too small, or not IPv4.</returns>
    public static ImmutableSortedDictionary<string, IPAddress>? Of(IPNetwork range, IEnumerable<string> services)
    {
        if (range.BaseAddress.AddressFamily != AddressFamily.InterNetwork || range.PrefixLength is < 8 or > 29) return null;
        var half = 1u << (31 - range.PrefixLength);
        // The last one is the broadcast address.
        var slots = half - 1;
        var first = BinaryPrimitives.ReadUInt32BigEndian(range.BaseAddress.GetAddressBytes()) + half;
        var taken = new HashSet<uint>();
        var addresses = ImmutableSortedDictionary.CreateBuilder<string, IPAddress>(StringComparer.Ordinal);
        foreach (var service in services.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (taken.Count == slots) return null;
            var slot = BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(service))) % slots;
            while (!taken.Add(slot)) slot = (slot + 1) % slots;
            addresses.Add(service, Address(first + slot));
        }
        return addresses.ToImmutable();
    }

    /// <summary>What goes into the container's hosts file: name and address of every service, itself included.</summary>
    public static IEnumerable<(string Name, IPAddress Address)> Names(ContainerSpec spec, ImmutableSortedDictionary<string, IPAddress> addresses)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var aliases = spec.Peers.SetItem(spec.Service, spec.Aliases);
        // A service's own name goes before the alias of another.
        foreach (var (service, address) in addresses)
            if (seen.Add(service)) yield return (service, address);
        foreach (var (service, address) in addresses)
            foreach (var alias in aliases[service])
                if (seen.Add(alias)) yield return (alias, address);
    }

    private static IPAddress Address(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return new IPAddress(bytes);
    }
}
