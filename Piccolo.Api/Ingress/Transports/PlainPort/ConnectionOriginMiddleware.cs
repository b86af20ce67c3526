using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Origin;

namespace Piccolo.Api.Ingress.Transports.PlainPort;

/// <summary>First on our own HTTP and HTTPS ports: sets the origin of the connection, from the socket or from the header of a trusted proxy.</summary>
internal sealed class ConnectionOriginMiddleware(
    ConnectionDelegate next, OriginClassifier classifier, TrustedProxies proxies, ProxyHeaderReader headers, IngressMetrics metrics,
    ILogger<ConnectionOriginMiddleware> logger, int publicPort) : IConnectionMiddleware
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        var origin = classifier.Classify(connection.RemoteEndPoint, publicPort);
        if (proxies.Contains(connection.RemoteEndPoint)) return OnProxiedAsync(connection, origin);
        connection.Features.Set(origin);
        return next(connection);
    }

    /// <summary>
    /// A trusted source without a header is refused: were both accepted, its users could write the header themselves (proxy-protocol.txt, 2).
    /// </summary>
    private async Task OnProxiedAsync(ConnectionContext connection, IConnectionOriginFeature proxy)
    {
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        if (await headers.ReadAsync(connection.Transport.Input, proxy, closing) is not { } header)
        {
            metrics.Refused("proxy_header");
            logger.ConnectionRefused(connection.ConnectionId, "proxy_header", null, publicPort, proxy.Origin);
            connection.Abort(new ConnectionAbortedException("No PROXY header came from a trusted proxy."));
            return;
        }
        connection.Features.Set(header.IsLocal ? proxy : classifier.ClassifyProxied(proxy, header.Source));
        await next(connection);
    }
}
