using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Containers.Podman;

/// <summary>
/// Looks whether the firewall still says what services may reach: after containers have gone behind our back, and twice a minute, because nobody tells when a
/// table was loaded anew.
/// </summary>
internal sealed class NetworkRightsLoop(PodmanRuntime runtime, HealthTracker health, TimeProvider time, ILogger<NetworkRightsLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Regular = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!runtime.IsConfigured) return;
        var signals = new SignalSet(runtime.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.RightsLoopFailed(Regular, e);
            }
            await signals.WaitAsync(Regular, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        var fault = await runtime.KeepRightsAsync(cancellationToken);
        if (fault is null) health.Ok(HealthComponents.Firewall, "apps reach what their manifests allow, and no more");
        // The engine's own faults are reported by whoever runs the apps; without it there is no app.
        else if (!fault.IsEngine) health.Degraded(HealthComponents.Firewall, $"{fault.Sentence} {fault.NextStep}");
    }
}
