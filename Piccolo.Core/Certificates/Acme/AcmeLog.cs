using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Certificates.Acme;

internal static partial class AcmeLog
{
    [LoggerMessage(2005, LogLevel.Debug, "The CA rejected a nonce (try {Try}).")]
    public static partial void NonceRejected(this ILogger logger, int @try);
}
