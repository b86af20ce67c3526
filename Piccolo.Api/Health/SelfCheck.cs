using Piccolo.Core.ControlStore;

namespace Piccolo.Api.Health;

/// <summary>Finds out whether the daemon still does its work: the health loop goes round, and the store lets a reader in.</summary>
internal sealed class SelfCheck(HealthLoop health, SealedStore store, TimeProvider time)
{
    private static readonly StoreCollection<Probe> Probes = new("self-check");

    private Task? _probe;

    /// <returns>What stands still, in one sentence; null when nothing does.</returns>
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

    /// <summary>Takes the store's turn once; what it finds does not matter.</summary>
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
