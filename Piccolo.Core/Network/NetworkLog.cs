using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Network;

internal static partial class NetworkLog
{
    [LoggerMessage(6800, LogLevel.Warning, "The kernel's reports about network changes cannot be read: {Reason}. Retrying in {Seconds} s.")]
    public static partial void WatchFailed(this ILogger logger, string reason, double seconds);
}
