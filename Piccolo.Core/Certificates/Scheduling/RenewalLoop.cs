using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>Runs the scheduler: woken by the store, the gate, new requests and the clock. Never ends by itself.</summary>
internal sealed class RenewalLoop(
    RenewalScheduler scheduler, ICertificateStore store, OrderGate gate, TimeProvider time, ILogger<RenewalLoop> logger) : BackgroundService
{
    private static readonly TimeSpan AfterError = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var forwarding = Task.WhenAll(ForwardAsync(store.Changed, stoppingToken), ForwardAsync(gate.Changed, stoppingToken));
        try
        {
            while (!stoppingToken.IsCancellationRequested) await PassAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        await scheduler.StopAsync();
        await forwarding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task PassAsync(CancellationToken stoppingToken)
    {
        var seen = scheduler.Woken.Version;
        TimeSpan wait;
        try
        {
            wait = scheduler.Pass();
        }
        catch (Exception e)
        {
            logger.LoopFailed(e);
            // What fails now fails again at once: here only the clock wakes.
            await Task.Delay(AfterError, time, stoppingToken);
            return;
        }
        await scheduler.Woken.WaitAsync(seen, wait, time, stoppingToken);
    }

    private async Task ForwardAsync(ChangeSignal signal, CancellationToken stoppingToken)
    {
        var seen = signal.Version;
        while (!stoppingToken.IsCancellationRequested)
        {
            await signal.WaitAsync(seen, stoppingToken);
            seen = signal.Version;
            scheduler.Woken.Raise();
        }
    }
}
