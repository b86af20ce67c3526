using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Apps;

/// <summary>Runs the supervisor's rounds, woken by change signals or by the next due attempt, until the daemon ends.</summary>
internal sealed class AppSupervisorLoop(AppSupervisor supervisor, TimeProvider time, ILogger<AppSupervisorLoop> logger) : BackgroundService
{
    private static readonly TimeSpan AfterBreak = TimeSpan.FromSeconds(5);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await supervisor.ShutDownAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            supervisor.Signals.Mark();
            var wait = AfterBreak;
            try
            {
                wait = await supervisor.RoundAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.RoundFailed(wait, e);
            }
            await supervisor.Signals.WaitAsync(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
