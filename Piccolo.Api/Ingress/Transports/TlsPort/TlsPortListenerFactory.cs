using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>An address of our own port for TLS: an ordinary one, but bound by <see cref="TlsPortListenerFactory"/>.</summary>
/// <param name="isOptional">Whether a host that does not have the address goes without it: [::1] where IPv6 is switched off.</param>
internal sealed class TlsPortEndPoint(IPAddress address, int port, bool isOptional = false) : IPEndPoint(address, port)
{
    public bool IsOptional { get; } = isOptional;
}

/// <summary>The transport behind <see cref="TlsPortEndPoint"/>: all loops accept and decide; Kestrel gets the connections whose TLS ends here (ADR 0023).</summary>
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

internal static class ListenSockets
{
    private const int TcpLevel = 6;
    private const int TcpDeferAccept = 9;
    private const int TcpUserTimeout = 18;

    /// <summary>
    /// For all clients of a listening socket, which hand it down: the kernel asks those that are silent whether they are still there, and ends those that take
    /// nothing of what waits for them (tcp(7), TCP_USER_TIMEOUT, also of a window that stays closed).
    /// </summary>
    public static void BoundSilence(this Socket socket, IngressOptions options)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)options.KeepAliveProbeTime.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)options.KeepAliveProbeInterval.TotalSeconds);
        socket.SetRawSocketOption(TcpLevel, TcpUserTimeout, BitConverter.GetBytes((int)options.SendTimeout.TotalMilliseconds));
    }

    /// <summary>
    /// Has the kernel show a client when its first bytes are there (tcp(7), TCP_DEFER_ACCEPT), or after a second without any: then it is shown all the same,
    /// and our own limits begin.
    /// </summary>
    public static void DeferAccept(this Socket socket) => socket.SetRawSocketOption(TcpLevel, TcpDeferAccept, BitConverter.GetBytes(1));

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
