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
}
