using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress;

/// <summary>The listening sockets of one listener's LAN port, and the loops that accept on them. Closing it leaves accepted connections alone.</summary>
internal sealed class LanPort : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan AcceptPause = TimeSpan.FromSeconds(1);

    private readonly List<Socket> _sockets;
    private readonly CancellationTokenSource _closing = new();
    private readonly Action<Socket, PublishedListener> _accepted;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _accepting;
    private PublishedListener _listener;

    private LanPort(PublishedListener listener, List<Socket> sockets, Action<Socket, PublishedListener> accepted, TimeProvider time, ILogger logger)
    {
        (_listener, _sockets, _accepted, _time, _logger) = (listener, sockets, accepted, time, logger);
        Port = ((IPEndPoint)sockets[0].LocalEndPoint!).Port;
        _accepting = Task.WhenAll(sockets.Select(AcceptAsync));
    }

    /// <summary>The port that is really bound.</summary>
    public int Port { get; }

    /// <summary>What new connections are for; swapped when only the listener's definition changes.</summary>
    public PublishedListener Listener
    {
        get => Volatile.Read(ref _listener);
        set => Volatile.Write(ref _listener, value);
    }

    /// <exception cref="SocketException">The port is taken or the address is not ours.</exception>
    public static LanPort Bind(
        PublishedListener listener, IReadOnlyList<IPAddress> addresses, Action<Socket, PublishedListener> accepted, TimeProvider time, ILogger logger)
    {
        var sockets = new List<Socket>();
        try
        {
            foreach (var address in addresses.Where(Supported).DefaultIfEmpty(IPAddress.Any))
            {
                // Asked for any free port, all addresses take the one that the first got.
                var port = sockets.Count == 0 ? listener.PublicPort : ((IPEndPoint)sockets[0].LocalEndPoint!).Port;
                if (TryListen(new IPEndPoint(address, port), optional: sockets.Count > 0) is { } socket) sockets.Add(socket);
            }
            return new LanPort(listener, sockets, accepted, time, logger);
        }
        catch
        {
            sockets.ForEach(s => s.Dispose());
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _sockets.ForEach(s => s.Dispose());
        await _accepting;
        _closing.Dispose();
    }

    private static bool Supported(IPAddress address) => address.AddressFamily != AddressFamily.InterNetworkV6 || Socket.OSSupportsIPv6;

    /// <param name="optional">Whether an address that this host does not have may be left out: [::1] where IPv6 is switched off.</param>
    private static Socket? TryListen(IPEndPoint endPoint, bool optional)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // [::] serves IPv4 too.
            if (endPoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException failure) when (optional && failure.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync(Socket socket)
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                _accepted(await socket.AcceptAsync(_closing.Token), Listener);
            }
            catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionReset)
            {
                // The client went before we came to it.
            }
            catch (Exception failure)
            {
                // Out of descriptors, most likely: a pause instead of a spin.
                if (_closing.IsCancellationRequested) return;
                _logger.LanPortAcceptFailed(Port, failure.Message);
                await Task.Delay(AcceptPause, _time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
