namespace Piccolo.Api.Health;

internal static partial class WatchdogLog
{
    [LoggerMessage(7101, LogLevel.Error, "Self-check failed; watchdog ping withheld: {Reason}")]
    public static partial void SelfCheckFailed(this ILogger logger, string reason);
}
