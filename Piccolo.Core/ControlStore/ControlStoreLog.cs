using Microsoft.Extensions.Logging;

namespace Piccolo.Core.ControlStore;

internal static partial class ControlStoreLog
{
    [LoggerMessage(6200, LogLevel.Information, "Control store opened at revision {Revision}.")]
    public static partial void StoreOpened(this ILogger logger, long revision);

    [LoggerMessage(6201, LogLevel.Information, "Control store migrated: {Scripts}.")]
    public static partial void StoreMigrated(this ILogger logger, string scripts);
}
