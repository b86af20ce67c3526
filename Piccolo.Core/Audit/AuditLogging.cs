using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Audit;

internal static partial class AuditLogging
{
    [LoggerMessage(6700, LogLevel.Warning, "{Count} audit events could not be written yet: {Reason}")]
    public static partial void NotWritten(this ILogger logger, int count, string reason);

    [LoggerMessage(6701, LogLevel.Error, "Pending audit events could not be written; will retry at the next change of the store.")]
    public static partial void AuditLoopFailed(this ILogger logger, Exception exception);
}
