using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Health;

internal static partial class HealthLog
{
    [LoggerMessage(6100, LogLevel.Critical, "Fatal fault {Code} in {Component}: {Detail} Readiness is 503 until it is cleared.")]
    public static partial void FaultLatched(this ILogger logger, FaultCode code, string component, string detail);

    [LoggerMessage(6101, LogLevel.Information, "Fault {Code} cleared.")]
    public static partial void FaultCleared(this ILogger logger, FaultCode code);
}
