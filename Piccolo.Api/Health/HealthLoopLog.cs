namespace Piccolo.Api.Health;

internal static partial class HealthLoopLog
{
    [LoggerMessage(7110, LogLevel.Error, "The health of a component could not be observed ({Reporter}); what was last said of it may be old.")]
    public static partial void ReporterFailed(this ILogger logger, string reporter, Exception exception);
}
