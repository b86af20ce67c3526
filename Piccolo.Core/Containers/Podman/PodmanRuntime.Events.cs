using Docker.DotNet.Models;

namespace Piccolo.Core.Containers.Podman;

// What the engine tells unasked.
internal sealed partial class PodmanRuntime
{
    private static readonly string[] EndingActions = ["die", "died", "oom", "remove", "destroy"];

    /// <summary>Follows the engine's events and raises <see cref="Changed"/>. Returns when the engine ends the stream or is away.</summary>
    public async Task<ContainerFault?> WatchAsync(CancellationToken cancellationToken)
    {
        // A little of the past is asked for, so that nothing falls between this question and the subscription.
        var since = _time.GetUtcNow().AddSeconds(-2).ToUnixTimeSeconds();
        var hello = await CallAsync<bool>("ping", async (client, token) =>
        {
            await client.System.PingAsync(token);
            return true;
        }, cancellationToken);
        if (hello.Fault is not null) return hello.Fault;
        _logger.WatchBegan(_options.Socket);
        Changed.Raise();
        var ended = await CallAsync<bool>("events", async (client, token) =>
        {
            var parameters = new ContainerEventsParameters { Since = since.ToString(System.Globalization.CultureInfo.InvariantCulture), Filters = OurLabel() };
            await client.System.MonitorEventsAsync(parameters, new EventSink(OnEvent), token);
            return true;
        }, Timeout.InfiniteTimeSpan, cancellationToken);
        Changed.Raise();
        return ended.Fault;
    }

    private void OnEvent(Message message)
    {
        _logger.EventHeard(message.Action ?? "", message.Actor?.ID ?? "");
        if (EndingActions.Contains(message.Action)) Changed.Raise();
    }

    private sealed class EventSink(Action<Message> onEvent) : IProgress<Message>
    {
        public void Report(Message value) => onEvent(value);
    }
}
