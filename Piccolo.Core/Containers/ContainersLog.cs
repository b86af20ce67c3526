using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Containers;

internal static partial class ContainersLog
{
    [LoggerMessage(5100, LogLevel.Warning, "Container engine refused. operation={Operation} fault={Fault} engine_says={Text}")]
    public static partial void EngineRefused(this ILogger logger, string operation, ContainerFaultKind fault, string text);

    [LoggerMessage(5101, LogLevel.Warning, "Container engine cannot be reached. operation={Operation} reason={Reason}")]
    public static partial void EngineUnreachable(this ILogger logger, string operation, string reason);

    [LoggerMessage(5102, LogLevel.Information, "Image {Image} fetched.")]
    public static partial void ImagePulled(this ILogger logger, string image);

    [LoggerMessage(5103, LogLevel.Debug, "Container event {Action} of {Container}.")]
    public static partial void EventHeard(this ILogger logger, string action, string container);

    [LoggerMessage(5104, LogLevel.Information, "Listening for container events at {Socket}.")]
    public static partial void WatchBegan(this ILogger logger, string socket);

    [LoggerMessage(5105, LogLevel.Error, "Watching container events failed; the next attempt follows in {Delay}.")]
    public static partial void WatchFailed(this ILogger logger, TimeSpan delay, Exception exception);

    [LoggerMessage(5106, LogLevel.Warning, "The file instance-id was damaged and has been replaced: containers made before are no longer known as ours.")]
    public static partial void InstanceIdReplaced(this ILogger logger);

    [LoggerMessage(5107, LogLevel.Debug, "Container engine still cannot be reached. operation={Operation} reason={Reason}")]
    public static partial void EngineStillUnreachable(this ILogger logger, string operation, string reason);

    [LoggerMessage(5108, LogLevel.Information, "Container engine answers again.")]
    public static partial void EngineAnswersAgain(this ILogger logger);

    [LoggerMessage(5109, LogLevel.Warning, "What apps may reach outside cannot be kept. fault={Fault} nft_says={Text}")]
    public static partial void FirewallNotKept(this ILogger logger, ContainerFaultKind fault, string text);

    [LoggerMessage(5110, LogLevel.Information, "What apps may reach outside is kept again.")]
    public static partial void FirewallKept(this ILogger logger);

    [LoggerMessage(5111, LogLevel.Information, "What apps may reach outside was written. added={Added} removed={Removed}")]
    public static partial void RightsWritten(this ILogger logger, int added, int removed);

    [LoggerMessage(5112, LogLevel.Error, "Looking after what apps may reach outside failed; the next attempt follows in {Delay}.")]
    public static partial void RightsLoopFailed(this ILogger logger, TimeSpan delay, Exception exception);
}
