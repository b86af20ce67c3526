using Piccolo.Core.Auth;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Locking;

/// <summary>
/// Every attempt at the owner's password, recovery words or set-up code goes through here, and so through the limits. What changes the password ends all
/// sessions with it.
/// </summary>
public sealed class OwnerPassword(ApplianceLock box, ApplianceVault vault, SetupCode setupCode, SessionTable sessions, GuessGate gate)
{
    public Task<GuessAnswer> SetUpAsync(GuessSource source, string password, string? code) => gate.TryAsync(
        source,
        // From here on the caller's going away must not leave half of it undone.
        async _ => vault.State == VaultState.Unclaimed
            && !setupCode.Admits(code) ? VaultOutcome.WrongSetupCode : await box.SetUpAsync(password, CancellationToken.None),
        CancellationToken.None);

    public Task<GuessAnswer> UnlockAsync(GuessSource source, string password, CancellationToken cancellationToken) =>
        gate.TryAsync(source, token => box.UnlockAsync(password, token), cancellationToken);

    /// <summary>A login by another name is a wrong guess like any other.</summary>
    public Task<GuessAnswer> RefuseAsync(GuessSource source, CancellationToken cancellationToken) =>
        gate.TryAsync(source, _ => Task.FromResult(vault.State == VaultState.Unclaimed ? VaultOutcome.NotSetUp : VaultOutcome.WrongPassword),
            cancellationToken);

    /// <summary>The console's code where one is required, for what claims a box without making a password. Where none is, nobody has proven anything.</summary>
    public async Task<GuessAnswer> CheckSetupCodeAsync(GuessSource source, string? code) => setupCode.IsRequired
        ? await gate.TryAsync(source, _ => Task.FromResult(setupCode.Admits(code) ? VaultOutcome.Done : VaultOutcome.WrongSetupCode), CancellationToken.None)
        : new GuessAnswer(VaultOutcome.Done, TimeSpan.Zero);

    /// <summary>For the password of another box's key set.</summary>
    public Task<GuessAnswer> LimitAsync(GuessSource source, Func<Task<VaultOutcome>> check) => gate.TryAsync(source, _ => check(), CancellationToken.None);

    public Task<GuessAnswer> CheckAsync(GuessSource source, string password) =>
        gate.TryAsync(source, _ => vault.CheckPasswordAsync(password, CancellationToken.None), CancellationToken.None);

    public Task<GuessAnswer> ChangeAsync(GuessSource source, string oldPassword, string newPassword, bool revokeTokens) =>
        gate.TryAsync(source, _ => EndingSessionsAsync(vault.ChangePasswordAsync(oldPassword, newPassword, revokeTokens, CancellationToken.None)),
            CancellationToken.None);

    public Task<GuessAnswer> ResetAsync(GuessSource source, string words, string newPassword) =>
        gate.TryAsync(source, _ => EndingSessionsAsync(vault.ResetPasswordAsync(words, newPassword, CancellationToken.None)), CancellationToken.None);

    public async Task<(GuessAnswer Answer, IReadOnlyList<string> Words)> GenerateRecoveryKeyAsync(GuessSource source, string password)
    {
        IReadOnlyList<string> words = [];
        var answer = await gate.TryAsync(source, async _ =>
        {
            (var outcome, words) = await vault.GenerateRecoveryKeyAsync(password, CancellationToken.None);
            return outcome;
        }, CancellationToken.None);
        return (answer, words);
    }

    private async Task<VaultOutcome> EndingSessionsAsync(Task<VaultOutcome> change)
    {
        var outcome = await change;
        if (outcome == VaultOutcome.Done) sessions.EndAll();
        return outcome;
    }
}
