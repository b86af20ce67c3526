using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Ingress;

/// <summary>An address of our own port for TLS: an ordinary one, but bound by <see cref="TlsPortListenerFactory"/>.</summary>
/// <param name="isOptional">Whether a host that does not have the address goes without it: [::1] where IPv6 is switched off.</param>
internal sealed class TlsPortEndPoint(IPAddress address, int port, bool isOptional = false) : IPEndPoint(address, port)
{
    public bool IsOptional { get; } = isOptional;
}

/// <summary>The transport behind <see cref="TlsPortEndPoint"/>: as Kestrel's own, but nothing of a connection is read before its ClientHello was peeked at.</summary>
internal sealed class TlsPortListenerFactory(
    SocketConnections connections, IOptions<SocketTransportOptions> options, TimeProvider time, ILogger<TlsPortListenerFactory> logger)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is TlsPortEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var own = (TlsPortEndPoint)endpoint;
        // Not the end point itself: its family's [::] would not be seen as any.
        var socket = options.Value.CreateBoundListenSocketOrNull(new IPEndPoint(own.Address, own.Port), own.IsOptional);
        socket?.Listen(options.Value.Backlog);
        return ValueTask.FromResult<IConnectionListener>(new TlsPortListener(socket?.LocalEndPoint ?? endpoint, socket, connections, time, logger));
    }
}

/// <param name="socket">Null for an optional address that is missing: nobody comes.</param>
internal sealed class TlsPortListener(EndPoint endPoint, Socket? socket, SocketConnections connections, TimeProvider time, ILogger logger) : IConnectionListener
{
    private static readonly TimeSpan AcceptPause = TimeSpan.FromSeconds(1);

    public EndPoint EndPoint => endPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (socket is not null)
        {
            try
            {
                var accepted = await socket.AcceptAsync(cancellationToken);
                if (Wrap(accepted) is { } connection) return connection;
            }
            catch (SocketException failure) when (failure.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // The client went before we came to it.
            }
            catch (Exception failure) when (failure is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null;
            }
            catch (SocketException failure)
            {
                // Out of descriptors, most likely, because somebody holds that many connections. Kestrel would never call again after an exception: the port
                // would be dead for good.
                logger.TlsPortAcceptFailed(endPoint, failure.Message);
                await Task.Delay(AcceptPause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket?.Dispose();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    private LazySocketConnection? Wrap(Socket accepted)
    {
        try
        {
            accepted.NoDelay = true;
            return connections.Create(accepted);
        }
        catch (SocketException)
        {
            // Gone between the two calls.
            accepted.Dispose();
            return null;
        }
    }
}

internal static class ListenSockets
{
    /// <exception cref="AddressInUseException">Someone else listens there.</exception>
    public static Socket? CreateBoundListenSocketOrNull(this SocketTransportOptions options, IPEndPoint endPoint, bool isOptional)
    {
        try
        {
            return options.CreateBoundListenSocket(endPoint);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(failure.Message, failure);
        }
        catch (SocketException failure) when (isOptional && failure.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
        {
            return null;
        }
    }
}
