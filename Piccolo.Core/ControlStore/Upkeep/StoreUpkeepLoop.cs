using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.ControlStore.Upkeep;

/// <summary>Verifies the open store every few minutes and takes a snapshot each day on which something changed.</summary>
internal sealed class StoreUpkeepLoop(
    SealedStore store, StoreSnapshots snapshots, IOptions<ControlStoreOptions> options, TimeProvider time, ILogger<StoreUpkeepLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(options.Value.CheckInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                TakeTurn();
            }
            catch (Exception e)
            {
                // The next turn tries again; what concerns the store itself is latched by then.
                logger.UpkeepFailed(e);
            }
        }
    }

    internal void TakeTurn()
    {
        if (!store.Check() || !store.IsOpen) return;
        if (snapshots.List().FirstOrDefault(s => s.Revision <= store.Revision) is { } newest && (newest.Revision == store.Revision || IsYoung(newest))) return;
        var taken = snapshots.Take(store.CopyTo);
        logger.SnapshotTaken(taken.Revision);
    }

    /// <summary>A snapshot from the future was taken under a wrong clock, and its age says nothing.</summary>
    private bool IsYoung(StoreSnapshot snapshot) =>
        time.GetUtcNow() - snapshot.TakenAt is var age && age >= TimeSpan.Zero && age < options.Value.SnapshotInterval;
}
