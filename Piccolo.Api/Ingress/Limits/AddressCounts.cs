using System.Collections.Concurrent;
using System.Net;

namespace Piccolo.Api.Ingress.Limits;

/// <summary>Counts something by client. Holds only clients of which there is some. Thread-safe, without locks.</summary>
internal sealed class AddressCounts
{
    private readonly ConcurrentDictionary<IPAddress, int> _counts = new();

    /// <summary>How many clients are counted now.</summary>
    public int Clients => _counts.Count;

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
