using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress;

/// <param name="Outdated">Fires when the port is closed, or is another listener's: nothing new may begin on the connection.</param>
internal sealed record LanPortFeature(CancellationToken Outdated);

/// <summary>On the LAN ports of apps: what is not HTTP in clear text is spliced to the app without a look, for its protocol may let the server speak first.</summary>
internal sealed class LanAppConnectionMiddleware(
    ConnectionDelegate next, Splicer splicer, ListenerTraffic traffic, IngressMetrics metrics, ILogger<LanAppConnectionMiddleware> logger) : IConnectionMiddleware
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        var listener = connection.Features.GetRequiredFeature<IConnectionOriginFeature>().LanListener!;
        var notification = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var outdated = connection.Features.GetRequiredFeature<LanPortFeature>().Outdated.UnsafeRegister(
            static n => ((IConnectionLifetimeNotificationFeature?)n)?.RequestClose(), notification);
        if (listener.Definition.IsHttp)
        {
            var counters = traffic.Of(listener.Name);
            counters.Connected();
            // HTTP/2 runs each of its streams on the thread pool.
            if (connection is LazySocketConnection own) own.ResumesOnLoop = listener.Definition.Protocol != ListenerProtocol.Grpc;
            connection.Transport = new CountingPipe(connection.Transport.Input, connection.Transport.Output, counters);
            await next(connection);
            return;
        }
        try
        {
            await splicer.ToAppAsync(SpliceClient.OfTransport(connection), listener);
        }
        catch (Exception failure)
        {
            metrics.Refused("edge_failure");
            logger.ConnectionFailed(failure, connection.ConnectionId);
        }
    }
}
