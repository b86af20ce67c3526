namespace Piccolo.Api.Listeners;

internal static partial class ListenersLog
{
    [LoggerMessage(7800, LogLevel.Warning,
        "LAN port {Port} of {App}/{Listener} was taken by another program for {Patience}; the listener moves to {NewPort} for good.")]
    public static partial void LanPortMoved(this ILogger logger, int port, string app, string listener, TimeSpan patience, int newPort);

    [LoggerMessage(7801, LogLevel.Warning, "LAN port {Port} of {App}/{Listener} is taken by another program, and no other is free.")]
    public static partial void LanPortNotMoved(this ILogger logger, int port, string app, string listener);

    [LoggerMessage(7802, LogLevel.Error, "Handling of busy LAN ports failed; will retry.")]
    public static partial void BusyPortsFailed(this ILogger logger, Exception exception);

    [LoggerMessage(7810, LogLevel.Information, "{App}/{Listener} does not answer: {Reason}")]
    public static partial void ListenerDown(this ILogger logger, string app, string listener, string reason);

    [LoggerMessage(7811, LogLevel.Information, "{App}/{Listener} answers.")]
    public static partial void ListenerUp(this ILogger logger, string app, string listener);

    [LoggerMessage(7812, LogLevel.Error, "Probing of apps failed; will retry.")]
    public static partial void ProbesFailed(this ILogger logger, Exception exception);
}
