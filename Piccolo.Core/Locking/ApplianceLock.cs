using Piccolo.Core.Auth;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Jobs;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Locking;

/// <summary>
/// Joins the vault with what opens and closes with it: the control store, the owner's sessions and the jobs. Apps, tunnel, routes and certificates follow by
/// themselves, because their loops watch the same signals.
/// </summary>
public sealed class ApplianceLock(ApplianceVault vault, SealedStore store, SessionTable sessions, JobTable jobs, IProcessRestart restart, UnlockMetrics metrics)
{
    private static readonly JobError LockedMeanwhile = new("locked", "The appliance was locked before this was finished.");

    public Task<VaultOutcome> SetUpAsync(string password, CancellationToken cancellationToken) => vault.SetUpAsync(password, cancellationToken);

    /// <summary>Opens vault and store, or checks the password when they are open. Refused from a lock on until the process has started afresh.</summary>
    public async Task<VaultOutcome> UnlockAsync(string password, CancellationToken cancellationToken)
    {
        if (restart.IsPending) return VaultOutcome.Restarting;
        using var activity = Traces.Source.StartActivity("unlock");
        try
        {
            var outcome = await vault.UnlockAsync(password, Open, cancellationToken);
            metrics.Attempt(outcome);
            return outcome;
        }
        catch (RestartPendingException)
        {
            return VaultOutcome.Restarting;
        }
    }

    public async Task LockAsync(CancellationToken cancellationToken)
    {
        using var activity = Traces.Source.StartActivity("lock");
        await vault.LockAsync(
            () =>
            {
                sessions.EndAll();
                store.Close();
            },
            cancellationToken);
        // Also ends the event streams of those who watch: their sessions are over.
        jobs.StopAll(LockedMeanwhile);
    }

    /// <summary>An unlock that waited for its turn while the lock began comes too late.</summary>
    private void Open(DataKey key)
    {
        if (restart.IsPending) throw new RestartPendingException();
        store.Open(key);
    }

    private sealed class RestartPendingException : Exception;
}
