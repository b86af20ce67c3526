namespace Piccolo.Api.Http;

internal static partial class ApiLog
{
    [LoggerMessage(7000, LogLevel.Error, "Unexpected failure of {Method} {Path}.")]
    public static partial void Unexpected(this ILogger logger, string method, string path, Exception exception);
}
