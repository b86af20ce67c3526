using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Health;

internal static partial class HealthLog
{
    [LoggerMessage(6100, LogLevel.Critical, "Fatal fault {Code} in {Component}: {Detail} Readiness is 503 until it is cleared.")]
    public static partial void FaultLatched(this ILogger logger, FaultCode code, string component, string detail);

    [LoggerMessage(6101, LogLevel.Information, "Fault {Code} cleared.")]
    public static partial void FaultCleared(this ILogger logger, FaultCode code);

    [LoggerMessage(6110, LogLevel.Warning, "The clock is behind: it says {Now:u}, but it must be later than {Floor:u} ({Source}).")]
    public static partial void ClockWrong(this ILogger logger, DateTimeOffset now, DateTimeOffset floor, string source);

    [LoggerMessage(6111, LogLevel.Information, "The clock is plausible again: {Now:u}.")]
    public static partial void ClockRight(this ILogger logger, DateTimeOffset now);

    [LoggerMessage(6112, LogLevel.Warning, "The time could not be saved to {File}: {Reason}")]
    public static partial void ClockNotSaved(this ILogger logger, string file, string reason);
}
