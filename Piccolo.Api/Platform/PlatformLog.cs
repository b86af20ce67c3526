namespace Piccolo.Api.Platform;

internal static partial class PlatformLog
{
    [LoggerMessage(7100, LogLevel.Information, "Stopped in good order after {Elapsed}.")]
    public static partial void StoppedInOrder(this ILogger logger, TimeSpan elapsed);

    [LoggerMessage(7102, LogLevel.Information, "State directory {Folder} is locked by this process.")]
    public static partial void StateInUse(this ILogger logger, string folder);

    [LoggerMessage(7103, LogLevel.Information, "Locked: the process starts afresh, with nothing in memory of what it knew.")]
    public static partial void StartingAfresh(this ILogger logger);
}
