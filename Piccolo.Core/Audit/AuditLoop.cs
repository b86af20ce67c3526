using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Audit;

/// <summary>Writes what happened while the store was sealed as soon as that opens, or takes writes again; and the number of refusals once a minute.</summary>
internal sealed class AuditLoop(SealedStore store, AuditLog audit, TimeProvider time, ILogger<AuditLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Regular = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(store.Changed, audit.Counting);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            Write(last: false);
            await signals.WaitAsync(audit.CountedDueIn ?? Regular, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Write(last: true);
    }

    private void Write(bool last)
    {
        try
        {
            audit.WriteWaiting(withCounted: last);
        }
        catch (Exception e)
        {
            logger.AuditLoopFailed(e);
        }
    }
}
