using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Locking;

internal static partial class LockLog
{
    [LoggerMessage(7200, LogLevel.Warning, "Locked, but not everything has stopped; will retry: {What}")]
    public static partial void LockUnfinished(this ILogger logger, string what);

    [LoggerMessage(7201, LogLevel.Information, "Everything that a lock stops has stopped.")]
    public static partial void LockEnded(this ILogger logger);

    [LoggerMessage(7202, LogLevel.Error, "Checking what a lock has stopped failed; will retry.")]
    public static partial void LockWatchFailed(this ILogger logger, Exception exception);
}
