namespace Piccolo.Api.Health;

internal static partial class WatchdogLog
{
    [LoggerMessage(7101, LogLevel.Error, "The self-check failed, the service manager is not told that all is well: {Reason}")]
    public static partial void SelfCheckFailed(this ILogger logger, string reason);
}
