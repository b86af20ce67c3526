using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress;

/// <summary>After the handshake: bytes of raw listeners go to the app as they are, everything else on to HTTP; the session is closed properly.</summary>
internal sealed class TerminatedConnectionMiddleware(ConnectionDelegate next, Splicer splicer, ListenerTraffic traffic, TimeProvider time)
    : IConnectionMiddleware
{
    private static readonly TimeSpan CloseNotifyTimeout = TimeSpan.FromSeconds(2);

    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        connection.Features.GetRequiredFeature<HandshakeProgress>().Succeed();
        var chosen = connection.Features.GetRequiredFeature<TlsRouteFeature>();
        // Here the client has finished its side of the handshake: it saw this certificate and went on.
        chosen.Bundle.Shown(time.GetUtcNow());
        if (chosen.IsChallenge)
        {
            await CloseNotifyAsync(connection.Features.GetRequiredFeature<ISslStreamFeature>().SslStream);
            return;
        }
        if (chosen.Route is Route.App { Listener.Definition.IsHttp: false } raw)
        {
            await splicer.ToAppAsync(SpliceClient.OfTls(connection), raw.Listener);
            return;
        }
        var tls = connection.Features.GetRequiredFeature<ISslStreamFeature>().SslStream;
        // The server runs each stream of HTTP/2 on the thread pool.
        if (tls.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2) connection.Features.Get<LazySocketConnection>()?.GoOnOnPool();
        var counters = traffic.Of(chosen.Label);
        counters.Connected();
        connection.Transport = new CountingPipe(connection.Transport, counters);
        await next(connection);
        // Kestrel ends the stream without close_notify, which clients rightly report as a truncation (RFC 8446, 6.1).
        await CloseNotifyAsync(connection.Features.GetRequiredFeature<ISslStreamFeature>().SslStream);
    }

    private async Task CloseNotifyAsync(SslStream tls)
    {
        try
        {
            await tls.ShutdownAsync().WaitAsync(CloseNotifyTimeout, time);
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException or ObjectDisposedException or TimeoutException)
        {
            // The peer has gone already: there is nobody left to tell.
        }
    }
}
