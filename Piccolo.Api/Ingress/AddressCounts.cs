using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Piccolo.Api.Ingress;

/// <summary>Counts something by client. Holds only clients of which there is some. Thread-safe, without locks.</summary>
internal sealed class AddressCounts
{
    private readonly ConcurrentDictionary<IPAddress, int> _counts = new();

    /// <summary>How many clients are counted now.</summary>
    public int Clients => _counts.Count;

    /// <summary>One household or host has a whole /64 of IPv6 to choose from, which counts as one client.</summary>
    public static IPAddress KeyOf(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || address.IsIPv4MappedToIPv6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    /// <returns>False at the limit; then nothing is to be given back.</returns>
    public bool TryEnter(IPAddress client, int limit)
    {
        while (true)
        {
            if (!_counts.TryGetValue(client, out var count))
            {
                if (_counts.TryAdd(client, 1)) return true;
            }
            else if (count >= limit) return false;
            else if (_counts.TryUpdate(client, count + 1, count)) return true;
        }
    }

    public void Leave(IPAddress client)
    {
        while (_counts.TryGetValue(client, out var count))
            if (count > 1 ? _counts.TryUpdate(client, count - 1, count) : _counts.TryRemove(KeyValuePair.Create(client, count))) return;
    }
}
