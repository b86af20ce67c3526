using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Vault;

internal static partial class VaultLog
{
    [LoggerMessage(6000, LogLevel.Information, "Key set created; the appliance is claimed and locked.")]
    public static partial void SetUp(this ILogger logger);

    [LoggerMessage(6001, LogLevel.Information, "Lock state changed. state=unlocked")]
    public static partial void Unlocked(this ILogger logger);

    [LoggerMessage(6002, LogLevel.Information, "Lock state changed. state=locked")]
    public static partial void Locked(this ILogger logger);

    [LoggerMessage(6003, LogLevel.Information, "The password was changed.")]
    public static partial void PasswordChanged(this ILogger logger);

    [LoggerMessage(6004, LogLevel.Warning, "The password was reset with the recovery words.")]
    public static partial void PasswordReset(this ILogger logger);

    [LoggerMessage(6005, LogLevel.Information, "A recovery key was made. rotated={Rotated}")]
    public static partial void RecoveryKeyMade(this ILogger logger, bool rotated);

    [LoggerMessage(6006, LogLevel.Information, "The password's cost was raised to {MemoryMiB} MiB and {Iterations} passes.")]
    public static partial void CostRaised(this ILogger logger, int memoryMiB, int iterations);

    [LoggerMessage(6007, LogLevel.Error, "The key set could not be written; the old one stays in force.")]
    public static partial void KeySetNotWritten(this ILogger logger, Exception exception);

    [LoggerMessage(6008, LogLevel.Warning, "This appliance has no owner yet. Its set-up code is {Code}")]
    public static partial void SetupCodeIs(this ILogger logger, string code);
}
