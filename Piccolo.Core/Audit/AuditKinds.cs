using System.Collections.Frozen;

namespace Piccolo.Core.Audit;

/// <summary>The kinds of events. Never renamed.</summary>
public static class AuditKinds
{
    public const string SetUp = "vault.set_up";
    public const string SetUpFailed = "vault.set_up_failed";
    public const string Unlocked = "vault.unlocked";
    public const string UnlockFailed = "vault.unlock_failed";
    public const string Locked = "vault.locked";
    public const string PasswordChanged = "vault.password_changed";
    public const string PasswordChangeFailed = "vault.password_change_failed";
    public const string PasswordReset = "vault.password_reset";
    public const string ResetFailed = "vault.reset_failed";
    public const string RecoveryKeyRotated = "vault.recovery_key_rotated";
    public const string RecoveryKeyFailed = "vault.recovery_key_failed";
    public const string StalenessAcknowledged = "vault.staleness_acknowledged";
    public const string LoggedIn = "auth.logged_in";
    public const string LoginFailed = "auth.login_failed";
    public const string LoggedOut = "auth.logged_out";
    public const string SessionRevoked = "auth.session_revoked";
    public const string TokenCreated = "auth.token_created";
    public const string TokenFailed = "auth.token_failed";
    public const string TokenRevoked = "auth.token_revoked";
    public const string AppInstalled = "app.installed";
    public const string AppUpdated = "app.updated";
    public const string AppRemoved = "app.removed";
    public const string AppStarted = "app.started";
    public const string AppStopped = "app.stopped";
    public const string JobCancelled = "job.cancelled";
    public const string RemoteConfigured = "remote.configured";
    public const string RemoteDisabled = "remote.disabled";
    public const string RemoteSecretRotated = "remote.secret_rotated";
    public const string RemoteSecretFailed = "remote.secret_rotation_failed";
    public const string RemoteAliasAdded = "remote.alias_added";
    public const string RemoteAliasRemoved = "remote.alias_removed";
    public const string CertificateRenewal = "certificate.renewal_requested";
    public const string CertificateRekey = "certificate.rekey_requested";
    public const string FaultCleared = "system.fault_cleared";
    public const string ExportStarted = "export.started";
    public const string ExportDownloaded = "export.downloaded";
    public const string ExportDeleted = "export.deleted";
    public const string Imported = "export.imported";
    public const string ImportRefused = "export.import_refused";
    public const string Dropped = "audit.dropped";

    private static readonly FrozenSet<string> Refusals = FrozenSet.Create(
        StringComparer.Ordinal, SetUpFailed, UnlockFailed, PasswordChangeFailed, ResetFailed, RecoveryKeyFailed, LoginFailed, TokenFailed,
        RemoteSecretFailed, ImportRefused);

    /// <summary>Whether it tells of something that was refused. Strangers can cause such events at will.</summary>
    internal static bool IsRefusal(string kind) => Refusals.Contains(kind);
}
