using System.Net.NetworkInformation;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel;

/// <summary>
/// Wakes the tunnel when the network came back or changed, and when the wall clock parted from the monotonic one: the machine slept, or its clock was set.
/// Either may be all that a refused or unreachable relay was waiting for.
/// </summary>
internal sealed class TunnelWaker(NexusTunnel tunnel, INetworkView network, IOptions<NexusOptions> options, TimeProvider time, ILogger<TunnelWaker> logger) : BackgroundService
{
    private readonly ChangeSignal _changed = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        network.Changed += _changed.Raise;
        try
        {
            await Task.WhenAll(WatchNetworkAsync(stoppingToken), WatchClocksAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        finally
        {
            network.Changed -= _changed.Raise;
        }
    }

    private async Task WatchNetworkAsync(CancellationToken cancellationToken)
    {
        var seen = _changed.Version;
        var known = Describe();
        while (true)
        {
            await _changed.WaitAsync(seen, cancellationToken);
            do
            {
                // A link that comes up brings a dozen changes in a second.
                seen = _changed.Version;
                await _changed.WaitAsync(seen, options.Value.NetworkDebounce, time, cancellationToken);
            }
            while (_changed.Version != seen);
            var now = Describe();
            if (now == known) continue;
            known = now;
            // Without any way out there is nothing to try; the next change will bring one.
            if (now != "") tunnel.Wake("network");
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

    private string Describe()
    {
        try
        {
            return network.Describe();
        }
        catch (NetworkInformationException unreadable)
        {
            logger.NetworkUnreadable(unreadable);
            return "";
        }
    }
}
