using System.Net;
using Microsoft.AspNetCore.Connections;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Api.Ingress.Transports.Tunnel;

/// <summary>The transport behind <see cref="TunnelEndPoint"/>: the relay's streams are connections, without a loopback hop (ADR 0001).</summary>
internal sealed class TunnelConnectionListenerFactory(TunnelStreamQueues queues) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is TunnelEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var traffic = ((TunnelEndPoint)endpoint).Traffic;
        return ValueTask.FromResult<IConnectionListener>(
            new QueueConnectionListener(endpoint, queues.Accepted(traffic), () => queues.CompleteAsync(traffic)));
    }
}
