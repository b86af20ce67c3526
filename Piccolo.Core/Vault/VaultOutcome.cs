namespace Piccolo.Core.Vault;

/// <summary>Where the vault stands.</summary>
public enum VaultState
{
    /// <summary>No key set and no store: the next owner may claim the box.</summary>
    Unclaimed,
    Locked,
    Unlocked,

    /// <summary>The key set cannot be used; a fatal fault says why.</summary>
    Faulted,
}

/// <summary>How an attempt to claim the vault, to open it or to change its keys ended.</summary>
public enum VaultOutcome
{
    Done,
    WrongPassword,

    /// <summary>The words are not a recovery phrase, or not this box's.</summary>
    WrongRecoveryKey,

    /// <summary>The owner never made a recovery key.</summary>
    NoRecoveryKey,
    WrongSetupCode,

    /// <summary>The new password does not pass <see cref="PasswordPolicy"/>.</summary>
    WeakPassword,
    NotSetUp,
    AlreadySetUp,

    /// <summary>It needs an unlocked vault, or the password.</summary>
    Locked,

    /// <summary>The disk refused the new key set; the old one stays in force, whole.</summary>
    NotStored,

    /// <summary>A lock has begun, and the process starts afresh in a moment.</summary>
    Restarting,
    Faulted,
}

public static class VaultOutcomes
{
    /// <summary>Whether a password, recovery words or a set-up code were looked at and were wrong.</summary>
    public static bool IsWrongGuess(this VaultOutcome outcome) =>
        outcome is VaultOutcome.WrongPassword or VaultOutcome.WrongRecoveryKey or VaultOutcome.NoRecoveryKey or VaultOutcome.WrongSetupCode;
}

/// <summary>What is known of the keys without opening them.</summary>
/// <param name="PasswordStale">The password was set with the recovery words and not changed or acknowledged since.</param>
/// <param name="RecoveryStale">The recovery words were used and not replaced or acknowledged since.</param>
/// <param name="TokenEpoch">Bearer tokens of another epoch are worth nothing.</param>
public sealed record KeyStatus(bool RecoveryPresent, bool PasswordStale, bool RecoveryStale, long TokenEpoch)
{
    public static readonly KeyStatus None = new(false, false, false, 0);

    internal static KeyStatus Of(KeySet set) => new(set.Recovery is not null, set.PasswordStale, set.RecoveryStale, set.TokenEpoch ?? 0);
}
