using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Jobs;

internal static partial class JobsLog
{
    [LoggerMessage(6500, LogLevel.Information, "Job {Kind} ended: {State} {Code}")]
    public static partial void JobEnded(this ILogger logger, string kind, JobState state, string? code);

    [LoggerMessage(6501, LogLevel.Error, "Job {Kind} ended in an unexpected error.")]
    public static partial void JobCrashed(this ILogger logger, Exception exception, string kind);
}
