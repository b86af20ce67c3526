using Microsoft.Extensions.Logging;
using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Core.Tunnel;

internal static partial class TunnelLog
{
    [LoggerMessage(3000, LogLevel.Information, "Tunnel is online. Session={Session} Relay={Relay} Names={Names} Weight={Weight}")]
    public static partial void Online(this ILogger logger, int session, string relay, int names, long weight);

    [LoggerMessage(3001, LogLevel.Warning, "Tunnel could not be opened. Code={Code} Reason={Reason} NextAttempt={NextAttempt}")]
    public static partial void OpenFailed(this ILogger logger, string code, string reason, DateTimeOffset nextAttempt);

    [LoggerMessage(3002, LogLevel.Warning, "Tunnel was lost. Session={Session} Code={Code} Reason={Reason} NextAttempt={NextAttempt}")]
    public static partial void Lost(this ILogger logger, int session, string code, string reason, DateTimeOffset nextAttempt);

    [LoggerMessage(3003, LogLevel.Information, "Session is drained and closed. Session={Session} Streams={Streams}")]
    public static partial void Retired(this ILogger logger, int session, int streams);

    [LoggerMessage(3004, LogLevel.Information, "Tunnel is closed.")]
    public static partial void Disabled(this ILogger logger);

    [LoggerMessage(3005, LogLevel.Information, "The relay acknowledged nothing within {Waited}, but the session lives; taken as accepted. Session={Session}")]
    public static partial void AcceptedWithoutAcknowledgement(this ILogger logger, int session, TimeSpan waited);

    [LoggerMessage(3006, LogLevel.Debug, "The relay asks for re-authentication. Session={Session}")]
    public static partial void Reauthenticating(this ILogger logger, int session);

    [LoggerMessage(3007, LogLevel.Debug, "Stream refused. Session={Session} Stream={Stream} Cause={Cause}")]
    public static partial void StreamRefused(this ILogger logger, int session, StreamId stream, string cause);

    [LoggerMessage(3008, LogLevel.Debug, "Stream ended: the relay sent more than was granted, or too much waits for apps. Stream={Stream}")]
    public static partial void StreamOverflowed(this ILogger logger, string stream);

    [LoggerMessage(3009, LogLevel.Error, "Session ended by an internal error. Session={Session}")]
    public static partial void SessionFailed(this ILogger logger, Exception exception, int session);

    [LoggerMessage(3010, LogLevel.Error, "Unexpected error in the tunnel's loop; continuing.")]
    public static partial void LoopFailed(this ILogger logger, Exception exception);

    [LoggerMessage(3011, LogLevel.Warning, "Not a valid host name; not claimed at the relay. Name={Name}")]
    public static partial void NameDropped(this ILogger logger, string name);

    [LoggerMessage(3012, LogLevel.Information, "Reconnecting early. Cause={Cause}")]
    public static partial void Woken(this ILogger logger, string cause);

    [LoggerMessage(3013, LogLevel.Information, "The relay reports idle streams as unknown; closing them. Session={Session} Streams={Streams}")]
    public static partial void StreamsForgotten(this ILogger logger, int session, int streams);

    [LoggerMessage(3014, LogLevel.Warning,
        "The host's network interfaces cannot be read. Network changes do not wake the tunnel until the next read, in {RetryIn}.")]
    public static partial void NetworkUnreadable(this ILogger logger, TimeSpan retryIn);

    [LoggerMessage(3015, LogLevel.Warning, "The session's weight cannot be saved; after a power cut some users may wait for a minute. Reason={Reason}")]
    public static partial void WeightNotKept(this ILogger logger, string reason);
}
