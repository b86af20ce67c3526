using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Limits;

/// <summary>
/// Bounds the connections to apps that are in use, of all clients and apps together: a client's one connection of HTTP/2 asks for many of them, and each is a
/// descriptor. Thread-safe.
/// </summary>
internal sealed class AppConnectionQuota(IOptions<IngressOptions> options, OpenFiles openFiles, IngressMetrics metrics)
{
    private int _used;

    /// <returns>False when there are none left; then nothing is to be given back.</returns>
    public bool TryEnter()
    {
        var (used, limit) = (Interlocked.Increment(ref _used), options.Value.MaxAppConnections);
        // With few in use the kernel is not asked: that is nearly always.
        if (used <= limit && (used <= limit / 8 || openFiles.HasRoomForApps())) return true;
        Leave();
        metrics.Refused("app_connections");
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _used);
}
