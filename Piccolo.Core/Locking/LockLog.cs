using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Locking;

internal static partial class LockLog
{
    [LoggerMessage(7200, LogLevel.Warning, "Locked, but not everything has ended; it is tried again: {What}")]
    public static partial void LockUnfinished(this ILogger logger, string what);

    [LoggerMessage(7201, LogLevel.Information, "Everything that a lock ends has ended now.")]
    public static partial void LockEnded(this ILogger logger);

    [LoggerMessage(7202, LogLevel.Error, "What a lock has ended could not be observed; the next look follows.")]
    public static partial void LockWatchFailed(this ILogger logger, Exception exception);
}
