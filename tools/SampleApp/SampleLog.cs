namespace Piccolo.SampleApp;

internal static partial class SampleLog
{
    [LoggerMessage(1, LogLevel.Information, "Sample app starts. tls_fingerprint={Fingerprint}")]
    public static partial void Started(ILogger logger, string fingerprint);
}
