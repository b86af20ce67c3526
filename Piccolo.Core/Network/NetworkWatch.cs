using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Network;

/// <summary>
/// Raises <see cref="Changed"/> when the kernel reports a change of links, addresses or routes (rtnetlink(7)); often, and also for changes that do not matter.
/// The runtime's own watch is not used: its timer reads the interfaces without a guard and ends the process when a link vanishes at that moment.
/// </summary>
public sealed class NetworkWatch(TimeProvider time, ILogger<NetworkWatch> logger) : BackgroundService
{
    /// <summary>How long to wait before the next attempt when the kernel cannot be listened to.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);

    public ChangeSignal Changed { get; } = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                using var socket = Netlink.OpenRouteEvents();
                // What changed before the socket was open was not reported.
                Changed.Raise();
                await ListenAsync(socket, stoppingToken);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                logger.WatchFailed(e.Message, RetryInterval.TotalSeconds);
                await Task.Delay(RetryInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // The host stops.
            }
        }
    }

    private async Task ListenAsync(Socket socket, CancellationToken cancellationToken)
    {
        var message = new byte[8192];
        while (true)
        {
            try
            {
                await socket.ReceiveAsync(message, SocketFlags.None, cancellationToken);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
            {
                // The kernel dropped reports, so something did change.
            }
            Changed.Raise();
        }
    }
}
