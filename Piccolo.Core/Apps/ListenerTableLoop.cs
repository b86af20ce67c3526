using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Apps;

/// <summary>Keeps the listener table in step with the store, above all when that opens or closes.</summary>
internal sealed class ListenerTableLoop(SealedStore store, AppCatalog catalog, ILogger<ListenerTableLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var seen = store.Changed.Version;
            try
            {
                catalog.PublishListeners();
            }
            catch (Exception e)
            {
                // The store latches its own faults; the next change is another chance.
                logger.ListenerTableFailed(e);
            }
            await store.Changed.WaitAsync(seen, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
