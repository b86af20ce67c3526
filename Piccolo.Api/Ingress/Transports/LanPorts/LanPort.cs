using System.Net;
using System.Net.Sockets;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Transports.LanPorts;

/// <summary>
/// The listening sockets of one listener's LAN port, and the loops that accept on them. Closing it asks accepted connections to end when their requests
/// have.
/// </summary>
internal sealed class LanPort : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan AcceptPause = TimeSpan.FromSeconds(1);

    private readonly List<Socket> _sockets;
    private readonly CancellationTokenSource _closing = new();
    private readonly Action<Socket, PublishedListener, CancellationToken> _accepted;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _accepting;
    private Current _current;

    private LanPort(
        PublishedListener listener, List<Socket> sockets, Action<Socket, PublishedListener, CancellationToken> accepted, TimeProvider time, ILogger logger)
    {
        (_current, _sockets, _accepted, _time, _logger) = (new Current(listener), sockets, accepted, time, logger);
        Port = ((IPEndPoint)sockets[0].LocalEndPoint!).Port;
        _accepting = Task.WhenAll(sockets.Select(AcceptAsync));
    }

    /// <summary>The port that is really bound.</summary>
    public int Port { get; }

    /// <summary>What new connections are for.</summary>
    public PublishedListener Listener => Volatile.Read(ref _current).Listener;

    /// <summary>When only the listener's definition or its app's port changes. Connections to what it was are asked to end.</summary>
    public Task ReplaceAsync(PublishedListener listener) => Interlocked.Exchange(ref _current, new Current(listener)).Outdated.CancelAsync();

    /// <exception cref="SocketException">The port is taken or the address is not ours.</exception>
    public static LanPort Bind(
        PublishedListener listener, IngressOptions options, Action<Socket, PublishedListener, CancellationToken> accepted, TimeProvider time, ILogger logger)
    {
        var sockets = new List<Socket>();
        try
        {
            foreach (var address in options.ParseListenAddress()!.Where(Supported).DefaultIfEmpty(IPAddress.Any))
            {
                // Asked for any free port, all addresses take the one that the first got.
                var port = sockets.Count == 0 ? listener.PublicPort : ((IPEndPoint)sockets[0].LocalEndPoint!).Port;
                if (TryListen(new IPEndPoint(address, port), options, isOptional: sockets.Count > 0) is { } socket) sockets.Add(socket);
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
        await _current.Outdated.CancelAsync();
    }

    private static bool Supported(IPAddress address) => address.AddressFamily != AddressFamily.InterNetworkV6 || Socket.OSSupportsIPv6;

    /// <param name="isOptional">Whether an address that this host does not have may be left out: [::1] where IPv6 is switched off.</param>
    private static Socket? TryListen(IPEndPoint endPoint, IngressOptions options, bool isOptional)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // [::] serves IPv4 too.
            if (endPoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.SetClientOptions(options);
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException failure) when (isOptional && failure.SocketErrorCode == SocketError.AddressNotAvailable)
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
                var client = await socket.AcceptAsync(_closing.Token);
                var current = Volatile.Read(ref _current);
                _accepted(client, current.Listener, current.Outdated.Token);
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

    /// <param name="Listener">What connections are for.</param>
    private sealed record Current(PublishedListener Listener)
    {
        /// <summary>Fires when they are for something else, or for nothing any more. Not disposed: connections may ask at any time.</summary>
        public CancellationTokenSource Outdated { get; } = new();
    }
}
