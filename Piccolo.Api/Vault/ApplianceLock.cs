using Piccolo.Core.Auth;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

/// <summary>
/// Joins the vault with what opens and closes with it: the control store and the owner's sessions. Apps, tunnel, routes and certificates follow by
/// themselves, because their loops watch the same signals.
/// </summary>
internal sealed class ApplianceLock(ApplianceVault vault, SealedStore store, SessionTable sessions)
{
    public Task<VaultOutcome> SetUpAsync(string password, CancellationToken cancellationToken) => vault.SetUpAsync(password, cancellationToken);

    /// <summary>Opens vault and store, or checks the password when they are open.</summary>
    public Task<VaultOutcome> UnlockAsync(string password, CancellationToken cancellationToken) => vault.UnlockAsync(password, store.Open, cancellationToken);

    public Task LockAsync(CancellationToken cancellationToken) => vault.LockAsync(
        () =>
        {
            sessions.EndAll();
            store.Close();
        },
        cancellationToken);
}
