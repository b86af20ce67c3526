using Piccolo.Api.Metrics;
using Piccolo.Core.Auth;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Jobs;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

/// <summary>
/// Joins the vault with what opens and closes with it: the control store, the owner's sessions and the jobs. Apps, tunnel, routes and certificates follow by
/// themselves, because their loops watch the same signals.
/// </summary>
internal sealed class ApplianceLock(ApplianceVault vault, SealedStore store, SessionTable sessions, JobTable jobs, Telemetry telemetry)
{
    private static readonly JobError LockedMeanwhile = new("locked", "The appliance was locked before this was finished.");

    public Task<VaultOutcome> SetUpAsync(string password, CancellationToken cancellationToken) => vault.SetUpAsync(password, cancellationToken);

    /// <summary>Opens vault and store, or checks the password when they are open.</summary>
    public async Task<VaultOutcome> UnlockAsync(string password, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Source.StartActivity("unlock");
        var outcome = await vault.UnlockAsync(password, store.Open, cancellationToken);
        telemetry.Attempt(outcome);
        return outcome;
    }

    public async Task LockAsync(CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Source.StartActivity("lock");
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
}
