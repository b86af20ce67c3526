using Piccolo.Core.ControlStore;

namespace Piccolo.Api.Health;

/// <summary>Checks that the daemon makes progress: the health loop runs, and the store admits a reader.</summary>
internal sealed class SelfCheck(HealthLoop health, SealedStore store, TimeProvider time)
{
    private static readonly StoreCollection<Probe> Probes = new("self-check");

    private Task? _probe;

    /// <returns>What is stalled, in one phrase; null when nothing is.</returns>
    public async Task<string?> FindFaultAsync(TimeSpan limit)
    {
        if (health.IsLate) return "the health loop stands still";
        // A probe that hangs is not followed by a second one: a stuck store must not eat the thread pool.
        _probe ??= Task.Run(Read);
        try
        {
            await _probe.WaitAsync(limit, time);
        }
        catch (TimeoutException)
        {
            return "the store lets nobody in";
        }
        _probe = null;
        return null;
    }

    /// <summary>Enters the store once; the result does not matter.</summary>
    private void Read()
    {
        try
        {
            if (store.IsOpen) store.Get(Probes, "none");
        }
        catch (Exception e) when (e is StoreSealedException or StoreFaultException)
        {
            // It answered; a fault is latched and said elsewhere, and a restart would not cure it.
        }
    }

    private sealed record Probe;
}
