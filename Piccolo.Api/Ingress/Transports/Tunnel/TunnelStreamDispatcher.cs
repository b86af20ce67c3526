using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Tunnel;

namespace Piccolo.Api.Ingress.Transports.Tunnel;

/// <summary>Accepts the relay's streams and gives each to the endpoint for its kind.</summary>
internal sealed class TunnelStreamDispatcher(
    TunnelStreamQueues queues, IngressMetrics metrics, TimeProvider time, ILogger<TunnelStreamDispatcher> logger, ITunnelStreamSource? source = null)
    : BackgroundService
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // An appliance without a tunnel is whole: there is only nothing to accept.
        if (source is null) return;
        for (var attempt = 0; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                if (!await DispatchNextAsync(source, stoppingToken)) return;
                attempt = 0;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                var wait = TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, 1 << Math.Min(attempt++, 10)));
                logger.TunnelAcceptFailed(failure, attempt, wait);
                await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>In a frame of its own: a loop that waits must not hold on to the last stream, and with it to its session's secret.</summary>
    private async Task<bool> DispatchNextAsync(ITunnelStreamSource streams, CancellationToken stoppingToken)
    {
        var stream = await streams.AcceptAsync(stoppingToken);
        if (stream is not null) Dispatch(stream);
        return stream is not null;
    }

    private void Dispatch(ITunnelStream stream)
    {
        if (queues.TryAdd(stream)) return;
        metrics.Refused("tunnel_queue_full");
        logger.TunnelStreamRefused(stream.Id, "queue full or stopping");
        stream.Abort();
        _ = stream.DisposeAsync().AsTask();
    }
}
