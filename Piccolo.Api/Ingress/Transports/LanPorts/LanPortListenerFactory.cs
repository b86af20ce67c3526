using System.Net;
using Microsoft.AspNetCore.Connections;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Api.Ingress.Transports.LanPorts;

/// <summary>The transport behind <see cref="LanAppsEndPoint"/>: Kestrel keeps bind, limits and stop, the sockets come and go with the listeners.</summary>
internal sealed class LanPortListenerFactory(LanPorts ports) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is LanAppsEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ports.Start();
        return ValueTask.FromResult<IConnectionListener>(
            new QueueConnectionListener(endpoint, ports.Accepted(((LanAppsEndPoint)endpoint).Traffic), ports.StopAsync));
    }
}
