using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Tunnel;

/// <summary>
/// Wakes the tunnel when the network came back or changed, and when the wall clock parted from the monotonic one: the machine slept, or its clock was set.
/// Either may be all that a refused or unreachable relay was waiting for.
/// </summary>
internal sealed class TunnelWaker(
    RelayTunnel tunnel, INetworkView network, IOptions<TunnelOptions> options, TimeProvider time, ILogger<TunnelWaker> logger) : BackgroundService
{
    // A network that never stops changing still gets its say after so many rounds.
    private const int MaxDebounces = 10;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(WatchNetworkAsync(stoppingToken), WatchClocksAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task WatchNetworkAsync(CancellationToken cancellationToken)
    {
        string? known = null;
        while (true)
        {
            var seen = network.Changed.Version;
            var now = network.Describe();
            if (now is null)
            {
                logger.NetworkUnreadable(options.Value.NetworkDebounce);
                await network.Changed.WaitAsync(seen, options.Value.NetworkDebounce, time, cancellationToken);
                continue;
            }
            // Without any way out there is nothing to try; the next change will bring one.
            if (known is not null && now != known && now != "") tunnel.Wake("network");
            known = now;
            await network.Changed.WaitAsync(seen, cancellationToken);
            await SettleAsync(cancellationToken);
        }
    }

    /// <summary>A link that comes up brings a dozen changes in a second.</summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        for (var round = 0; round < MaxDebounces; round++)
        {
            var seen = network.Changed.Version;
            await network.Changed.WaitAsync(seen, options.Value.NetworkDebounce, time, cancellationToken);
            if (network.Changed.Version == seen) return;
        }
    }

    private async Task WatchClocksAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (wall, steady) = (time.GetUtcNow(), time.GetTimestamp());
            await Task.Delay(options.Value.ClockCheck, time, cancellationToken);
            var parted = time.GetUtcNow() - wall - time.GetElapsedTime(steady);
            if (parted.Duration() > options.Value.ClockTolerance) tunnel.Wake("clock");
        }
    }
}
