using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>Whether the handshake of a connection is over.</summary>
internal sealed class HandshakeProgress(Action ended)
{
    private int _ended;

    public bool Succeeded { get; private set; }

    public void Succeed()
    {
        Succeeded = true;
        End();
    }

    /// <summary>Gives the place back, once.</summary>
    public void End()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0) ended();
    }
}

/// <summary>Around the TLS handshake: bounds how many run at one time, and counts those that fail with their reason.</summary>
internal sealed class HandshakeGateMiddleware(
    ConnectionDelegate next, RunningHandshakes running, IngressMetrics metrics, ListenerTraffic traffic, BlockPool blocks, IOptions<IngressOptions> options,
    TimeProvider time, ILogger<HandshakeGateMiddleware> logger) : IConnectionMiddleware
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        var origin = connection.Features.GetRequiredFeature<IConnectionOriginFeature>();
        if (!running.TryEnter(origin, out var place))
        {
            metrics.Refused("handshakes_busy");
            logger.ConnectionRefused(connection.ConnectionId, "handshakes_busy", null, origin.PublicPort, origin.Origin);
            connection.Abort(new ConnectionAbortedException("Too many handshakes."));
            return;
        }
        var progress = new HandshakeProgress(place.Dispose);
        connection.Features.Set(progress);
        connection.Features.Set<IMemoryPoolFeature>(blocks);
        var started = time.GetTimestamp();
        try
        {
            await next(connection);
        }
        finally
        {
            progress.End();
            if (!progress.Succeeded) Failed(connection, time.GetElapsedTime(started));
        }
    }

    /// <summary>Kestrel keeps the exception to itself: what is known is how long it took, and whether the client is still there.</summary>
    private void Failed(ConnectionContext connection, TimeSpan taken)
    {
        var route = connection.Features.GetRequiredFeature<TlsRouteFeature>();
        var isGone = connection.Features.Get<ILoopSocketFeature>() is { HasEnded: true } || connection.ConnectionClosed.IsCancellationRequested;
        var reason = taken >= options.Value.HandshakeTimeout ? HandshakeFailure.Timeout
            : isGone ? HandshakeFailure.ClientGone
            : HandshakeFailure.Protocol;
        traffic.Of(route.Label).HandshakeFailed(reason);
        logger.HandshakeFailed(connection.ConnectionId, route.Label, reason);
    }
}
