using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Remote;

internal static partial class RemoteLog
{
    [LoggerMessage(4500, LogLevel.Information, "Route changed. host={Host} app={App} mode={Mode} leader={Leader}")]
    public static partial void RouteChanged(this ILogger logger, string host, string app, string mode, string leader);

    [LoggerMessage(4501, LogLevel.Error, "The remote plan could not be built; the last one stays in force.")]
    public static partial void PlanFailed(this ILogger logger, Exception exception);
}
