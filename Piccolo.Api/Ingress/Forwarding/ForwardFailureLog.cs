using System.Collections.Concurrent;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>Says why requests to apps failed: each in the counter, of an app's own failures one a minute as a warning. Thread-safe.</summary>
internal sealed class ForwardFailureLog(IngressMetrics metrics, TimeProvider time, ILogger<ForwardFailureLog> logger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _told = new();

    public void Note(PublishedListener listener, ForwardResult result, ForwardFailure failure)
    {
        metrics.ForwardFailed(result.Outcome.ToString());
        if (result.Outcome != ForwardOutcome.ClientGone && failure.IsOfApp && IsTime(listener.Name))
            logger.AppFailed(listener.App, listener.Name, failure.Status, result.Cause ?? failure.Detail);
        else
            logger.ForwardFailed(listener.App, listener.Name, result.Outcome.ToString(), failure.Status, result.Cause ?? failure.Detail);
    }

    /// <summary>Whether the last warning of a listener is long enough ago for another one.</summary>
    private bool IsTime(string listener)
    {
        var now = time.GetTimestamp();
        if (!_told.TryGetValue(listener, out var last)) return _told.TryAdd(listener, now);
        return time.GetElapsedTime(last, now) >= Quiet && _told.TryUpdate(listener, now, last);
    }
}
