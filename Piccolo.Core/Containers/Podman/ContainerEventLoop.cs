using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Containers.Podman;

/// <summary>Keeps listening to the engine's events; between attempts it waits a little, longer each time.</summary>
internal sealed class ContainerEventLoop(PodmanRuntime runtime, TimeProvider time, Func<double> random, ILogger<ContainerEventLoop> logger) : BackgroundService
{
    private static readonly TimeSpan MinDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!runtime.IsConfigured) return;
        var delay = MinDelay;
        while (!stoppingToken.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                await runtime.WatchAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.WatchFailed(delay, e);
            }
            // A stream that lasted shows a healthy engine: start over with the short wait.
            if (time.GetElapsedTime(began) > MaxDelay) delay = MinDelay;
            await Task.Delay(delay * (0.8 + (0.4 * random())), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
        }
    }
}
