using System.Security.Cryptography;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Vault;

/// <summary>Changing what opens the vault. Each change is one replaced file: the old key set stays in force, whole, until the new one is on the disk.</summary>
public sealed partial class ApplianceVault
{
    /// <summary>Whether this is the password; nothing else.</summary>
    public Task<VaultOutcome> CheckPasswordAsync(string password, CancellationToken cancellationToken) => RewriteAsync(keySet =>
    {
        using var dataKey = keySet.Password.Open(password);
        return (dataKey is null ? VaultOutcome.WrongPassword : VaultOutcome.Done, null);
    }, cancellationToken);

    /// <summary>Changes the one password. Also possible while locked; the state stays as it is.</summary>
    /// <param name="revokeTokens">Whether bearer tokens end with the old password, in the same step.</param>
    public async Task<VaultOutcome> ChangePasswordAsync(string oldPassword, string newPassword, bool revokeTokens, CancellationToken cancellationToken)
    {
        var outcome = await RewriteAsync(keySet =>
        {
            using var dataKey = keySet.Password.Open(oldPassword);
            if (dataKey is null) return (VaultOutcome.WrongPassword, null);
            if (PasswordPolicy.Advise(newPassword) is not null) return (VaultOutcome.WeakPassword, null);
            var changed = keySet with { Password = PasswordWrap.Create(newPassword, dataKey, CostFor(keySet)), PasswordStale = false };
            return (VaultOutcome.Done, revokeTokens ? changed.RevokingTokens() : changed);
        }, cancellationToken);
        if (outcome == VaultOutcome.Done) logger.PasswordChanged();
        return outcome;
    }

    /// <summary>Sets a new password with the recovery words, which stay valid. Locked stays locked. Password and words are stale from then on.</summary>
    /// <remarks>Bearer tokens end: who needs the words may have been robbed of the password, and a thief makes a token first.</remarks>
    public async Task<VaultOutcome> ResetPasswordAsync(string recoveryWords, string newPassword, CancellationToken cancellationToken)
    {
        var outcome = await RewriteAsync(keySet =>
        {
            if (keySet.Recovery is not { } recovery) return (VaultOutcome.NoRecoveryKey, null);
            using var dataKey = Open(recovery, recoveryWords);
            if (dataKey is null) return (VaultOutcome.WrongRecoveryKey, null);
            if (PasswordPolicy.Advise(newPassword) is not null) return (VaultOutcome.WeakPassword, null);
            var reset = keySet with { Password = PasswordWrap.Create(newPassword, dataKey, CostFor(keySet)), PasswordStale = true, RecoveryStale = true };
            return (VaultOutcome.Done, reset.RevokingTokens());
        }, cancellationToken);
        if (outcome == VaultOutcome.Done) logger.PasswordReset();
        return outcome;
    }

    /// <summary>Makes a recovery key, or replaces the one there is. The words are in the answer and nowhere else.</summary>
    public async Task<(VaultOutcome Outcome, IReadOnlyList<string> Words)> GenerateRecoveryKeyAsync(string password, CancellationToken cancellationToken)
    {
        string[] words = [];
        var rotated = false;
        var outcome = await RewriteAsync(keySet =>
        {
            using var dataKey = keySet.Password.Open(password);
            if (dataKey is null) return (VaultOutcome.WrongPassword, null);
            rotated = keySet.Recovery is not null;
            Span<byte> entropy = stackalloc byte[RecoveryPhrase.EntropyLength];
            RandomNumberGenerator.Fill(entropy);
            words = RecoveryPhrase.Write(entropy);
            var wrap = RecoveryWrap.Create(entropy, dataKey);
            CryptographicOperations.ZeroMemory(entropy);
            return (VaultOutcome.Done, keySet with { Recovery = wrap, RecoveryStale = false });
        }, cancellationToken);
        if (outcome != VaultOutcome.Done) return (outcome, []);
        logger.RecoveryKeyMade(rotated);
        return (outcome, words);
    }

    /// <summary>The owner has seen that a password or a recovery key is stale and leaves it so.</summary>
    public Task<VaultOutcome> AcknowledgeAsync(bool password, bool recovery, CancellationToken cancellationToken) => RewriteAsync(
        keySet => (VaultOutcome.Done, keySet with { PasswordStale = keySet.PasswordStale && !password, RecoveryStale = keySet.RecoveryStale && !recovery }),
        cancellationToken);

    private async Task<VaultOutcome> RewriteAsync(Func<KeySet, (VaultOutcome Outcome, KeySet? Changed)> rewrite, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        var (outcome, keySet) = ReadKeySet();
        if (keySet is null) return outcome;
        (outcome, var changed) = await LowPriorityThread.RunAsync(() => rewrite(keySet));
        if (changed is null || changed == keySet) return outcome;
        return TryWrite(changed) ? outcome : VaultOutcome.NotStored;
    }

    /// <summary>An unlock is when the password is at hand: a key set made at a lower cost than is configured now is wrapped again.</summary>
    private async Task RaiseCostAsync(KeySet keySet, string password, DataKey dataKey)
    {
        var cost = CostFor(keySet);
        if (cost == keySet.Password.GetCost()) return;
        var dearer = await LowPriorityThread.RunAsync(() => keySet with { Password = PasswordWrap.Create(password, dataKey, cost) });
        // What cannot be written now can be at the next unlock; that is no reason to stay locked.
        if (TryWrite(dearer)) logger.CostRaised(cost.MemoryMiB, cost.Iterations);
    }

    /// <summary>Never cheaper than what is configured, nor than what it was.</summary>
    private KdfCost CostFor(KeySet keySet) => keySet.Password.GetCost().AtLeast(ConfiguredCost);

    private static DataKey? Open(RecoveryWrap recovery, string words)
    {
        Span<byte> entropy = stackalloc byte[RecoveryPhrase.EntropyLength];
        try
        {
            return RecoveryPhrase.TryRead(words, entropy) is null ? recovery.Open(entropy) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(entropy);
        }
    }
}
