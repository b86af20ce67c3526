namespace Piccolo.Api.Health;

internal static partial class HealthLoopLog
{
    [LoggerMessage(7110, LogLevel.Error, "Health reporter {Reporter} failed; the last reported health may be stale.")]
    public static partial void ReporterFailed(this ILogger logger, string reporter, Exception exception);
}
