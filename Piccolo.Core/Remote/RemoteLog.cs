using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Remote;

internal static partial class RemoteLog
{
    [LoggerMessage(4500, LogLevel.Information, "Route changed. host={Host} app={App} mode={Mode} leader={Leader}")]
    public static partial void RouteChanged(this ILogger logger, string host, string app, string mode, string leader);

    [LoggerMessage(4501, LogLevel.Error, "The remote plan could not be built or applied; retrying in {Delay}.")]
    public static partial void PlanFailed(this ILogger logger, TimeSpan delay, Exception exception);

    [LoggerMessage(4502, LogLevel.Error, "The check of names from outside failed; will retry.")]
    public static partial void ProbeFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4503, LogLevel.Warning, "Not reachable from outside. name={Name} result={Result}: {Detail}")]
    public static partial void NameNotReachable(this ILogger logger, string name, Probing.ReachResult result, string? detail);

    [LoggerMessage(4504, LogLevel.Information, "Reachable from outside. name={Name} round_trip_ms={RoundTrip}")]
    public static partial void NameReachable(this ILogger logger, string name, double roundTrip);

    [LoggerMessage(4505, LogLevel.Warning, "An event could not be stored: {Message} ({Reason})")]
    public static partial void EventNotWritten(this ILogger logger, string message, string reason);

    [LoggerMessage(4506, LogLevel.Error, "Recording remote events failed; will retry at the next change.")]
    public static partial void EventsFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4507, LogLevel.Error, "Alias verification failed; will retry.")]
    public static partial void AliasCheckFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4508, LogLevel.Error, "The check of the issuance lock failed; will retry.")]
    public static partial void IssuanceLockFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4509, LogLevel.Warning, "Left out of the remote plan: {Sentence}")]
    public static partial void LeftOutOfPlan(this ILogger logger, string sentence);
}
