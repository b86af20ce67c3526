using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Transports.PlainPort;

/// <summary>
/// Kestrel's own transport, which accepts no client when descriptors are short: it would accept until there are none, and then try again without a pause.
/// </summary>
internal sealed class PlainPortListenerFactory(IServiceProvider services, OpenFiles openFiles, IngressMetrics metrics)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _sockets = ActivatorUtilities.CreateInstance<SocketTransportFactory>(services);

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint and not TlsPortEndPoint;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await _sockets.BindAsync(endpoint, cancellationToken), openFiles, metrics);

    private sealed class Listener(IConnectionListener sockets, OpenFiles openFiles, IngressMetrics metrics) : IConnectionListener
    {
        public EndPoint EndPoint => sockets.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                var connection = await sockets.AcceptAsync(cancellationToken);
                if (connection?.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket || !openFiles.IsShort(socket)) return connection;
                metrics.Refused("descriptors");
                connection.Abort(new ConnectionAbortedException("This process has too many files open."));
                await connection.DisposeAsync();
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => sockets.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => sockets.DisposeAsync();
    }
}
