using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Exports;

internal static partial class ExportsLog
{
    [LoggerMessage(6600, LogLevel.Information, "Export {Id} written, store revision {Revision}.")]
    public static partial void ExportWritten(this ILogger logger, string id, long revision);

    [LoggerMessage(6601, LogLevel.Information, "Imported the appliance {Instance} at store revision {Revision}; it is locked.")]
    public static partial void Imported(this ILogger logger, string instance, long revision);
}
