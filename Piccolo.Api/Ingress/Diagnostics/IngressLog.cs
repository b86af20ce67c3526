using System.Net;
using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress.Diagnostics;

internal static partial class IngressLog
{
    [LoggerMessage(1000, LogLevel.Debug, "Connection {ConnectionId} refused: {Reason}. name={ServerName} port={PublicPort} origin={Origin}")]
    public static partial void ConnectionRefused(
        this ILogger logger, string connectionId, string reason, string? serverName, int publicPort, ConnectionOrigin origin);

    [LoggerMessage(1001, LogLevel.Debug, "Connection {ConnectionId} to {Upstream} ended: {End}. up={BytesToUpstream} down={BytesToClient} lasted={Lasted}")]
    public static partial void SpliceEnded(
        this ILogger logger, string connectionId, EndPoint upstream, string end, long bytesToUpstream, long bytesToClient, TimeSpan lasted);

    [LoggerMessage(1002, LogLevel.Information, "Connection {ConnectionId} failed at the edge.")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception, string connectionId);

    [LoggerMessage(1003, LogLevel.Warning, "The host's network interfaces cannot be read; the last known networks stay in use: {Reason}")]
    public static partial void InterfacesUnreadable(this ILogger logger, string reason);

    [LoggerMessage(1004, LogLevel.Information,
        "The device's own certificate for HTTPS on the LAN: SHA-256 {Fingerprint}, until {ExpiresAt:u}. Compare it when a browser warns.")]
    public static partial void DeviceCertificateInUse(this ILogger logger, string fingerprint, DateTimeOffset expiresAt);

    [LoggerMessage(1005, LogLevel.Information, "A new device certificate was made: {Reason}.")]
    public static partial void DeviceCertificateMade(this ILogger logger, string reason);

    [LoggerMessage(1006, LogLevel.Error, "Cannot write the device certificate to {File}; will retry.")]
    public static partial void DeviceCertificateFailed(this ILogger logger, string file, Exception exception);

    [LoggerMessage(1007, LogLevel.Debug, "Connection {ConnectionId} to {Listener}: the TLS handshake failed: {Reason}.")]
    public static partial void HandshakeFailed(this ILogger logger, string connectionId, string listener, HandshakeFailure reason);

    [LoggerMessage(1008, LogLevel.Error, "Unhandled exception in an event-loop callback; the other connections of the loop continue.")]
    public static partial void SocketLoopFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1009, LogLevel.Warning, "Accept failed on {EndPoint}; will retry: {Reason}")]
    public static partial void TlsPortAcceptFailed(this ILogger logger, EndPoint endPoint, string reason);

    [LoggerMessage(1016, LogLevel.Debug, "Sending on an HTTP/2 connection failed; it accepts no more data.")]
    public static partial void SendFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1010, LogLevel.Information, "LAN port {Port} of {App}/{Listener} is listening.")]
    public static partial void LanPortListening(this ILogger logger, int port, string app, string listener);

    [LoggerMessage(1011, LogLevel.Warning, "LAN port {Port} of {App}/{Listener} cannot be bound: {Reason}. attempt={Attempt} next={NextAttempt}")]
    public static partial void LanPortBindFailed(
        this ILogger logger, int port, string app, string listener, string reason, int attempt, TimeSpan nextAttempt);

    [LoggerMessage(1012, LogLevel.Information, "LAN port {Port} of {App}/{Listener} is closed.")]
    public static partial void LanPortClosed(this ILogger logger, int port, string app, string listener);

    [LoggerMessage(1013, LogLevel.Warning, "Accept failed on LAN port {Port}; will retry: {Reason}")]
    public static partial void LanPortAcceptFailed(this ILogger logger, int port, string reason);

    [LoggerMessage(1014, LogLevel.Error, "Cannot reconcile the LAN ports with the listeners; will retry.")]
    public static partial void LanPortsFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1015, LogLevel.Warning,
        "Reducing MaxConnections from {Wanted} to {Affordable}: the open-file limit is {Files}. Raise it (LimitNOFILE, ulimit -n).")]
    public static partial void ConnectionsCutToOpenFiles(this ILogger logger, int wanted, int affordable, long files);

    [LoggerMessage(1020, LogLevel.Warning, "Accepting tunnel streams failed; will retry. attempt={Attempt} next={NextAttempt}")]
    public static partial void TunnelAcceptFailed(this ILogger logger, Exception exception, int attempt, TimeSpan nextAttempt);

    [LoggerMessage(1021, LogLevel.Debug, "Tunnel stream {Stream} refused: {Reason}.")]
    public static partial void TunnelStreamRefused(this ILogger logger, string stream, string reason);

    [LoggerMessage(1030, LogLevel.Debug, "A request to {App}/{Listener} failed: {Outcome}. {Cause} status={Status}")]
    public static partial void ForwardFailed(this ILogger logger, string app, string listener, string outcome, int status, string cause);

    [LoggerMessage(1034, LogLevel.Warning,
        "App {App}/{Listener} did not answer a request: {Cause} status={Status}. Further failures within a minute are logged at level Debug.")]
    public static partial void AppFailed(this ILogger logger, string app, string listener, int status, string cause);

    [LoggerMessage(EventId = 1032, Message = "{Listener} {Method} {Path} answered {Status} in {Milliseconds:F1} ms. client={Client} origin={Origin}")]
    public static partial void Answered(
        this ILogger logger, LogLevel level, string listener, string method, string path, int status, double milliseconds,
        IPAddress? client, ConnectionOrigin origin);

    [LoggerMessage(1031, LogLevel.Debug, "Request refused: {Code}. host={Host} origin={Origin}")]
    public static partial void RequestRefused(this ILogger logger, string code, string host, ConnectionOrigin origin);
}
