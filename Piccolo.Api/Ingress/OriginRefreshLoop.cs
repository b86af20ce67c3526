using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress;

/// <summary>Makes <see cref="OriginClassifier"/> read the interfaces after every change of the host's networks, and again soon after a read that failed.</summary>
internal sealed class OriginRefreshLoop(OriginClassifier classifier, NetworkWatch watch, TimeProvider time) : BackgroundService
{
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var seen = watch.Changed.Version;
                if (classifier.Refresh()) await watch.Changed.WaitAsync(seen, stoppingToken);
                else await watch.Changed.WaitAsync(seen, RetryInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }
}
