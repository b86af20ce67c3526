using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>
/// The transport behind <see cref="TlsPortEndPoint"/>: all loops accept and decide; Kestrel gets the connections whose TLS ends here (ADR 0023).
/// </summary>
internal sealed class TlsPortListenerFactory(
    SocketLoops loops, TlsPortClients clients, IOptions<SocketTransportOptions> options, TimeProvider time, ILogger<TlsPortListenerFactory> logger)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is TlsPortEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var own = (TlsPortEndPoint)endpoint;
        // Not the end point itself: its family's [::] would not be seen as any.
        var socket = options.Value.CreateBoundListenSocketOrNull(new IPEndPoint(own.Address, own.Port), own.IsOptional);
        // By the time of its first bytes, which a TLS client sends at once: who is welcomed before them costs a second call.
        socket?.DeferAccept();
        socket?.Listen(options.Value.Backlog);
        return ValueTask.FromResult<IConnectionListener>(Listen(new BoundTlsPort(socket?.LocalEndPoint ?? endpoint), socket));
    }

    /// <param name="socket">Null for an optional address that is missing: nobody comes.</param>
    private QueueConnectionListener Listen(BoundTlsPort bound, Socket? socket)
    {
        socket?.Blocking = false;
        TlsPortAcceptor[] acceptors = socket is null ? [] : [.. loops.All.Select(loop => new TlsPortAcceptor(socket, loop, clients, bound, time, logger))];
        return new QueueConnectionListener(bound.Local, bound.Accepted, () =>
        {
            foreach (var acceptor in acceptors) acceptor.Dispose();
            socket?.Dispose();
            bound.Close();
            return Task.CompletedTask;
        });
    }
}
