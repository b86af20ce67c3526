using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Origin;

namespace Piccolo.Api.Ingress.Transports.LanPorts;

/// <param name="Outdated">Fires when the port is closed, or is another listener's: nothing new may begin on the connection.</param>
internal sealed record LanPortFeature(CancellationToken Outdated);

/// <summary>On the LAN ports of apps that speak HTTP: counts what goes through, and asks the connection to end when its port does.</summary>
internal sealed class LanAppConnectionMiddleware(ConnectionDelegate next, ListenerTraffic traffic) : IConnectionMiddleware
{
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        var listener = connection.Features.GetRequiredFeature<IConnectionOriginFeature>().LanListener!;
        var notification = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var outdated = connection.Features.GetRequiredFeature<LanPortFeature>().Outdated.UnsafeRegister(
            static n => ((IConnectionLifetimeNotificationFeature?)n)?.RequestClose(), notification);
        var counters = traffic.Of(listener.Name);
        counters.Connected();
        connection.Transport = new CountingPipe(connection.Transport.Input, connection.Transport.Output, counters);
        await next(connection);
    }
}
