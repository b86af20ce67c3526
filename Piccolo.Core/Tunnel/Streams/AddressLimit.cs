using System.Net;
using System.Runtime.InteropServices;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel.Streams;

/// <summary>
/// How many streams each client address has, over all sessions. A suspect stream, whose user may have gone, does not count. A user whose address
/// is unknown is limited by the session alone. Thread-safe.
/// </summary>
internal sealed class AddressLimit(int max)
{
    public const string Cause = "address_limit";

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Use> _uses = [];

    public static bool IsSame(IPEndPoint? one, IPEndPoint other) =>
        one is not null && SubscriberAddress.Of(one.Address).Equals(SubscriberAddress.Of(other.Address));

    public bool TryEnter(IPEndPoint? client) => client is null || Change(client, (ref Use use) =>
    {
        if (use.Streams - use.Suspects >= max) return false;
        use.Streams++;
        return true;
    });

    public void Leave(IPEndPoint? client) => Change(client, (ref Use use) => --use.Streams >= 0);

    public void Suspect(IPEndPoint? client) => Change(client, (ref Use use) => ++use.Suspects > 0);

    public void ClearSuspicion(IPEndPoint? client) => Change(client, (ref Use use) => --use.Suspects >= 0);

    public bool IsHalfUsed(IPEndPoint? client)
    {
        if (client is null) return false;
        lock (_gate) return _uses.TryGetValue(SubscriberAddress.Of(client.Address), out var use) && use.Streams * 2 >= max;
    }

    private bool Change(IPEndPoint? client, Changing change)
    {
        if (client is null) return true;
        var subscriber = SubscriberAddress.Of(client.Address);
        lock (_gate)
        {
            ref var use = ref CollectionsMarshal.GetValueRefOrAddDefault(_uses, subscriber, out _);
            var result = change(ref use);
            if (use.Streams == 0) _uses.Remove(subscriber);
            return result;
        }
    }

    private delegate bool Changing(ref Use use);

    private struct Use
    {
        public int Streams;
        public int Suspects;
    }
}
