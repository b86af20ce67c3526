using System.Net;

namespace Piccolo.DevRelay;

internal static partial class RelayLog
{
    [LoggerMessage(9000, LogLevel.Information, "Session {Session} accepted from {Backend} for {Hostnames}, weight {Weight}.")]
    public static partial void SessionAccepted(this ILogger logger, long session, IPEndPoint backend, string hostnames, int weight);

    [LoggerMessage(9001, LogLevel.Information, "Session {Session} ended: {Cause}.")]
    public static partial void SessionEnded(this ILogger logger, long session, string cause);

    [LoggerMessage(9002, LogLevel.Warning, "Backend {Backend} refused: {Reason}.")]
    public static partial void SessionRefused(this ILogger logger, IPEndPoint backend, string reason);

    [LoggerMessage(9003, LogLevel.Information, "Session {Session} re-authenticated.")]
    public static partial void Reauthenticated(this ILogger logger, long session);

    [LoggerMessage(9004, LogLevel.Error, "Session {Session}: unexpected close {Code} from the backend; 1001 is expected, or none.")]
    public static partial void CloseUnexpected(this ILogger logger, long session, int code);

    [LoggerMessage(9010, LogLevel.Debug, "Session {Session}: stream {Stream} opened for {RouteKey}.")]
    public static partial void StreamOpened(this ILogger logger, long session, Guid stream, string routeKey);

    [LoggerMessage(9011, LogLevel.Debug, "Session {Session}: stream {Stream} ended: {Cause}.")]
    public static partial void StreamEnded(this ILogger logger, long session, Guid stream, string cause);

    [LoggerMessage(9012, LogLevel.Debug, "Session {Session}: the data lane is full, the disconnect of stream {Stream} is lost.")]
    public static partial void DisconnectLost(this ILogger logger, long session, Guid stream);

    [LoggerMessage(9013, LogLevel.Debug, "Session {Session}: a message of {Length} bytes means nothing and is ignored.")]
    public static partial void MessageIgnored(this ILogger logger, long session, int length);

    [LoggerMessage(9014, LogLevel.Debug, "Session {Session}: a text message came when none was awaited and is ignored.")]
    public static partial void TextIgnored(this ILogger logger, long session);

    [LoggerMessage(9020, LogLevel.Debug, "User {Client} at port {Port} closed without a byte: {Cause}.")]
    public static partial void UserClosed(this ILogger logger, IPEndPoint client, int port, string cause);

    [LoggerMessage(9030, LogLevel.Debug, "Connection failed.")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(9031, LogLevel.Warning, "Accepting at {Listen} failed; trying again.")]
    public static partial void AcceptFailed(this ILogger logger, Exception exception, IPEndPoint listen);
}
