using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.ControlStore.Upkeep;

/// <summary>While the disk is full or read-only, tries a small write every few seconds until one succeeds.</summary>
internal sealed class StoreRecoveryLoop(
    SealedStore store, IOptions<ControlStoreOptions> options, TimeProvider time, ILogger<StoreRecoveryLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(options.Value.ProbeInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                store.TryRecover();
            }
            catch (Exception e)
            {
                logger.UpkeepFailed(e);
            }
        }
    }
}
