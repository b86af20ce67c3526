using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Apps;

internal static partial class AppsLog
{
    [LoggerMessage(5000, LogLevel.Information, "App started. app={App} container={Container}")]
    public static partial void AppStarted(this ILogger logger, string app, string container);

    [LoggerMessage(5001, LogLevel.Information, "App stopped because another node leads. resource={Resource} role=follower app={App}")]
    public static partial void AppStoppedAsFollower(this ILogger logger, string resource, string app);

    [LoggerMessage(5002, LogLevel.Information, "App stopped. app={App} reason={Reason}")]
    public static partial void AppStopped(this ILogger logger, string app, AppReason reason);

    [LoggerMessage(5003, LogLevel.Information, "App's container removed. app={App}")]
    public static partial void AppRemoved(this ILogger logger, string app);

    [LoggerMessage(5004, LogLevel.Warning, "App failed. app={App} reason={Reason} detail={Detail} attempt={Attempt} next_attempt={NextAttempt}")]
    public static partial void AppFailed(this ILogger logger, string app, AppReason reason, string detail, int attempt, DateTimeOffset nextAttempt);

    [LoggerMessage(5005, LogLevel.Error, "Reconciling app {App} failed; retrying at {NextAttempt}.")]
    public static partial void AppWorkFailed(this ILogger logger, string app, DateTimeOffset nextAttempt, Exception exception);

    [LoggerMessage(5006, LogLevel.Error, "A round of the app supervisor failed; retrying in {Delay}.")]
    public static partial void RoundFailed(this ILogger logger, TimeSpan delay, Exception exception);

    [LoggerMessage(5007, LogLevel.Warning, "App's published port stays busy and is changed. app={App}")]
    public static partial void GuardPortMoved(this ILogger logger, string app);

    [LoggerMessage(5008, LogLevel.Warning, "Containers could not be stopped at shutdown: {Detail}")]
    public static partial void ShutdownIncomplete(this ILogger logger, string detail);

    [LoggerMessage(5009, LogLevel.Error, "The listener table could not be updated.")]
    public static partial void ListenerTableFailed(this ILogger logger, Exception exception);

    [LoggerMessage(5011, LogLevel.Warning, "The app's volumes have to be opened anew; the app is stopped and started again. app={App}")]
    public static partial void VolumeLost(this ILogger logger, string app);

    [LoggerMessage(5010, LogLevel.Information, "Checked for a newer image. app={App} outcome={Outcome} detail={Detail}")]
    public static partial void AppUpdateLookedFor(this ILogger logger, string app, UpdateOutcome outcome, string detail);
}
