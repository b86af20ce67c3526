using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress.Dispatch;

/// <summary>
/// One line per answered request, where the owner wants it: who, what, how it ended and how long it took. Never a query or a header field: those hold
/// secrets.
/// </summary>
internal sealed class AccessLog(IOptions<IngressOptions> options, TimeProvider time, ILogger<AccessLog> logger)
{
    private const int MaxPathLength = 256;

    public bool ForApps => options.Value.AccessLog.Apps;

    public bool ForPortal => options.Value.AccessLog.Portal;

    public long Begin() => time.GetTimestamp();

    public void Write(HttpContext context, string label, long begun)
    {
        // Probes and scrapes come every few seconds, and nobody looks for them here.
        var level = label == ListenerTraffic.Portal && IsProbe(context.Request.Path) ? LogLevel.Debug : LogLevel.Information;
        if (!logger.IsEnabled(level)) return;
        var origin = context.Features.Get<IConnectionOriginFeature>();
        var line = new Line(
            level, label, context.Request.Method, Clean(context.Request.Path.Value), context.Response.StatusCode, time.GetElapsedTime(begun).TotalMilliseconds,
            origin?.ClientEndPoint?.Address, origin?.Origin ?? ConnectionOrigin.Forwarded);
        // A logger may wait for its output, which is nothing for a loop's thread.
        if (SocketLoop.Current is null) Write(line);
        else ThreadPool.UnsafeQueueUserWorkItem(Write, line, preferLocal: false);
    }

    private void Write(Line line) => logger.Answered(line.Level, line.Label, line.Method, line.Path, line.Status, line.Milliseconds, line.Client, line.Origin);

    private static bool IsProbe(PathString path) =>
        path.StartsWithSegments("/health") || path.StartsWithSegments("/api/v1/health") || path.StartsWithSegments("/metrics");

    /// <summary>One line stays one line, and a short one.</summary>
    private static string Clean(string? path) =>
        path is null ? "" : string.Create(Math.Min(path.Length, MaxPathLength), path, static (span, text) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(text[i]) ? '?' : text[i];
        });

    private sealed record Line(
        LogLevel Level, string Label, string Method, string Path, int Status, double Milliseconds, System.Net.IPAddress? Client, ConnectionOrigin Origin);
}
