using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Api.Ingress.Transports;

internal static class ListenSockets
{
    private const int TcpLevel = 6;
    private const int TcpDeferAccept = 9;
    private const int TcpUserTimeout = 18;

    /// <summary>
    /// For all clients of a listening socket, which hands it down: small messages are not held back (TCP_NODELAY), the kernel asks those that are silent
    /// whether they are still there, and ends those that take nothing of what waits for them (tcp(7), TCP_USER_TIMEOUT, also of a window that stays
    /// closed).
    /// </summary>
    public static void SetClientOptions(this Socket socket, IngressOptions options)
    {
        socket.NoDelay = true;
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

    /// <exception cref="IOException">The process may not listen there; the message names the endpoint.</exception>
    public static Socket CreateBound(EndPoint endPoint, IngressOptions options)
    {
        try
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
            if (endPoint is IPEndPoint) socket.SetClientOptions(options);
            return socket;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new IOException($"Failed to bind to {endPoint}: {refused.Message}.", refused);
        }
    }

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
