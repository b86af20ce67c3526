using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.PassThrough;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>After the handshake: bytes of raw listeners go to the app as they are, everything else on to HTTP; the session is closed properly.</summary>
internal sealed class TerminatedConnectionMiddleware(
    ConnectionDelegate next, Splicer splicer, ListenerTraffic traffic, TimeProvider time, ILogger<GatheringWriter> logger) : IConnectionMiddleware
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
        var counters = traffic.Of(chosen.Label);
        counters.Connected();
        if (tls.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2) await Http2Async(connection, tls, counters);
        else await Http1Async(connection, counters);
        // Kestrel ends the stream without close_notify, which clients rightly report as a truncation (RFC 8446, 6.1). Who broke off is not there to be told.
        // A response that was broken off must not look whole either, and Kestrel may still hold bytes of it that a closed session would not take.
        var isBroken = connection.Features.Get<ILoopSocketFeature>()?.IsBroken ?? connection.ConnectionClosed.IsCancellationRequested;
        if (!isBroken) await CloseNotifyAsync(tls);
    }

    private Task Http1Async(ConnectionContext connection, ListenerCounters counters)
    {
        connection.Transport = new CountingPipe(connection.Transport.Input, connection.Transport.Output, counters);
        return next(connection);
    }

    private async Task Http2Async(ConnectionContext connection, SslStream tls, ListenerCounters counters)
    {
        // The server runs each of its streams on the thread pool.
        connection.Features.Get<ILoopSocketFeature>()?.ResumesOnLoop = false;
        var output = new GatheringWriter(tls, connection.Features.GetRequiredFeature<IMemoryPoolFeature>().MemoryPool, logger);
        connection.Transport = new CountingPipe(connection.Transport.Input, output, counters);
        await next(connection);
        output.Complete();
        // Who does not take the last frames is not waited for longer than who does not take the goodbye.
        var quiet = output.UntilQuietAsync();
        await quiet.WaitAsync(CloseNotifyTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!quiet.IsCompleted) connection.Abort(new ConnectionAbortedException("The peer does not take the end."));
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
