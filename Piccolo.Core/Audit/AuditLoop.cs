using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Audit;

/// <summary>Writes what happened while the store was sealed as soon as that opens, or takes writes again.</summary>
internal sealed class AuditLoop(SealedStore store, AuditLog audit, ILogger<AuditLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var seen = store.Changed.Version;
            try
            {
                audit.WriteWaiting();
            }
            catch (Exception e)
            {
                logger.AuditLoopBroke(e);
            }
            await store.Changed.WaitAsync(seen, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
