using System.Net;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel;

/// <summary>How many streams each client address has, over all sessions. A user whose address is unknown is limited by the session alone. Thread-safe.</summary>
internal sealed class AddressLimit(int max)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _streams = [];

    public bool TryEnter(IPEndPoint? client)
    {
        if (client is null) return true;
        var subscriber = SubscriberAddress.Of(client.Address);
        lock (_gate)
        {
            var count = _streams.GetValueOrDefault(subscriber);
            if (count >= max) return false;
            _streams[subscriber] = count + 1;
            return true;
        }
    }

    public void Leave(IPEndPoint? client)
    {
        if (client is null) return;
        var subscriber = SubscriberAddress.Of(client.Address);
        lock (_gate)
        {
            if (--_streams[subscriber] == 0) _streams.Remove(subscriber);
        }
    }
}
