using Piccolo.Core.Containers;
using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>
/// Makes <see cref="OriginClassifier"/> read the interfaces after every change of the host's networks, ask the container engine which of them are its own, and
/// read again soon after a read that failed. Until the engine has answered, what the kernel says of the links is enough.
/// </summary>
/// <param name="containers">Null where there is no engine.</param>
internal sealed class OriginRefreshLoop(OriginClassifier classifier, NetworkWatch watch, TimeProvider time, IContainerNetworks? containers = null)
    : BackgroundService
{
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var seen = watch.Changed.Version;
                var isRead = classifier.Refresh();
                // An engine that does not answer leaves what it said last.
                var listed = containers is null ? null : await containers.ListAsync(stoppingToken);
                if (listed is { } networks && classifier.Learn(networks)) isRead = classifier.Refresh();
                if (isRead) await watch.Changed.WaitAsync(seen, stoppingToken);
                else await watch.Changed.WaitAsync(seen, RetryInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }
}
