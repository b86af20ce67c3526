using System.Collections.Concurrent;

namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>
/// How many requests one app is sent at a time, WebSockets included: one client of HTTP/2 could otherwise use up all descriptors and ports of the machine.
/// Thread-safe.
/// </summary>
internal sealed class RequestSlots(int limit)
{
    private readonly ConcurrentDictionary<int, Counter> _counters = new();

    /// <param name="port">The app's port.</param>
    /// <param name="slot">To be disposed when the request is over.</param>
    /// <returns>False when there are as many already as there may be.</returns>
    public bool TryEnter(int port, out Slot slot)
    {
        var counter = _counters.GetOrAdd(port, static _ => new Counter());
        slot = new Slot(counter);
        if (Interlocked.Increment(ref counter.Value) <= limit) return true;
        slot.Dispose();
        return false;
    }

    internal readonly struct Slot(Counter counter) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref counter.Value);
    }

    internal sealed class Counter
    {
        public int Value;
    }
}
