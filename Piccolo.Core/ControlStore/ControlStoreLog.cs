using Microsoft.Extensions.Logging;

namespace Piccolo.Core.ControlStore;

internal static partial class ControlStoreLog
{
    [LoggerMessage(6200, LogLevel.Information, "Control store opened at revision {Revision}.")]
    public static partial void StoreOpened(this ILogger logger, long revision);

    [LoggerMessage(6201, LogLevel.Information, "Control store migrated: {Scripts}.")]
    public static partial void StoreMigrated(this ILogger logger, string scripts);

    [LoggerMessage(6202, LogLevel.Debug, "Control store verified at revision {Revision}.")]
    public static partial void StoreChecked(this ILogger logger, long revision);

    [LoggerMessage(6203, LogLevel.Information, "Snapshot of the control store taken at revision {Revision}.")]
    public static partial void SnapshotTaken(this ILogger logger, long revision);

    [LoggerMessage(6204, LogLevel.Warning, "Upkeep of the control store failed; will retry at the next turn.")]
    public static partial void UpkeepFailed(this ILogger logger, Exception exception);

    [LoggerMessage(6205, LogLevel.Warning, "The control store's anchor could not be written: {Reason}")]
    public static partial void AnchorNotWritten(this ILogger logger, string reason);

    [LoggerMessage(6206, LogLevel.Warning, "A row of {Collection} was written by a newer version and is left out: {Reason}.")]
    public static partial void RowLeftOut(this ILogger logger, string collection, string reason);
}
