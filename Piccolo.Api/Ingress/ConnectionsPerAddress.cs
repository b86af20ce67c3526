using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Ingress;

/// <summary>Counts open connections by client, so that one cannot take all. Holds only clients that are connected. Thread-safe, without locks.</summary>
internal sealed class ConnectionsPerAddress(IOptions<IngressOptions> options)
{
    private readonly ConcurrentDictionary<IPAddress, int> _open = new();

    /// <summary>How many clients are counted now.</summary>
    public int Clients => _open.Count;

    /// <summary>This machine's own connections and those of unknown clients are not counted: null.</summary>
    public static IPAddress? KeyOf(IConnectionOriginFeature origin)
    {
        if (origin.Origin == ConnectionOrigin.Loopback || origin.ClientEndPoint?.Address is not { } address) return null;
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || address.IsIPv4MappedToIPv6) return address;
        // One household or host has the whole /64 to choose from.
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    /// <returns>False at the limit; then nothing is to be given back.</returns>
    public bool TryEnter(IPAddress client)
    {
        while (true)
        {
            if (!_open.TryGetValue(client, out var count))
            {
                if (_open.TryAdd(client, 1)) return true;
            }
            else if (count >= options.Value.MaxConnectionsPerAddress) return false;
            else if (_open.TryUpdate(client, count + 1, count)) return true;
        }
    }

    public void Leave(IPAddress client)
    {
        while (_open.TryGetValue(client, out var count))
            if (count > 1 ? _open.TryUpdate(client, count - 1, count) : _open.TryRemove(KeyValuePair.Create(client, count))) return;
    }
}
