using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Volumes;

internal static partial class VolumesLog
{
    [LoggerMessage(5300, LogLevel.Information, "Volume made. app={App} volume={Volume}")]
    public static partial void VolumeMade(this ILogger logger, string app, string volume);

    [LoggerMessage(5301, LogLevel.Warning, "Volume cannot be used. app={App} volume={Volume} fault={Fault} detail={Detail}")]
    public static partial void VolumeFailed(this ILogger logger, string app, string volume, VolumeFaultKind fault, string detail);

    [LoggerMessage(5302, LogLevel.Error, "The server of a volume ended by itself; its app gets errors until it is restarted. id={Id} gocryptfs_says={Text}")]
    public static partial void ServerEnded(this ILogger logger, string id, string text);

    [LoggerMessage(5303, LogLevel.Information, "Volume deleted, its key first. app={App} volume={Volume}")]
    public static partial void VolumePurged(this ILogger logger, string app, string volume);

    [LoggerMessage(5304, LogLevel.Warning, "A mount that an earlier process has left was taken away. id={Id}")]
    public static partial void MountLeftByKilled(this ILogger logger, string id);

    [LoggerMessage(5305, LogLevel.Warning, "A volume stays mounted. id={Id} reason={Reason}")]
    public static partial void VolumeLeftOpen(this ILogger logger, string id, string reason);

    [LoggerMessage(5306, LogLevel.Information, "Volume read whole after an unclean end: all of it is good. app={App} volume={Volume}")]
    public static partial void VolumeChecked(this ILogger logger, string app, string volume);

    [LoggerMessage(5307, LogLevel.Information, "Volume not read after an unclean end, because it is large. app={App} volume={Volume}")]
    public static partial void VolumeNotChecked(this ILogger logger, string app, string volume);

    [LoggerMessage(5308, LogLevel.Error, "Files of a volume cannot be read after an unclean end. app={App} volume={Volume} gocryptfs_says={Text}")]
    public static partial void DamageFound(this ILogger logger, string app, string volume, string text);

    [LoggerMessage(5309, LogLevel.Warning, "Volume is over its limit. app={App} volume={Volume} used={Used} limit={Limit}")]
    public static partial void VolumeOverLimit(this ILogger logger, string app, string volume, long? used, long? limit);

    [LoggerMessage(5310, LogLevel.Error, "Looking at how full the volumes are failed; will retry.")]
    public static partial void UsageFailed(this ILogger logger, Exception exception);

    [LoggerMessage(5311, LogLevel.Error, "Volumes cannot be opened now: {Reason}")]
    public static partial void MounterSilent(this ILogger logger, string reason);

    [LoggerMessage(5312, LogLevel.Information, "Volume that the app can fill again has no files and is made anew. app={App} volume={Volume}")]
    public static partial void VolumeMadeAnew(this ILogger logger, string app, string volume);
}
