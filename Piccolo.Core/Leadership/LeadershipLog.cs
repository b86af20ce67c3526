using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Leadership;

internal static partial class LeadershipLog
{
    [LoggerMessage(4000, LogLevel.Information, "Leadership role changed. resource={Resource} role={Role} leader={Leader}")]
    public static partial void RoleChanged(this ILogger logger, string resource, string role, string leader);

    [LoggerMessage(4001, LogLevel.Warning, "Leadership file {File} cannot be used: {Reason}; {Meanwhile}.")]
    public static partial void FileRefused(this ILogger logger, string file, string reason, string meanwhile);
}
