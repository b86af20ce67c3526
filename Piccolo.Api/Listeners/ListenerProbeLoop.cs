using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Core.Apps;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Listeners;

/// <summary>
/// Keeps <see cref="ListenerHealth"/> true: a new or restarted app is tried at once, one that answers now and then, one that does not more often.
/// </summary>
internal sealed class ListenerProbeLoop(
    ListenerTable table, AppStatusBoard apps, ListenerProbe probe, ListenerHealth health, IOptions<IngressOptions> options, TimeProvider time,
    ILogger<ListenerProbeLoop> logger) : BackgroundService
{
    private const int AtOnce = 8;

    private readonly Dictionary<string, Tried> _tried = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wake = new SignalSet(table.Changed, apps.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            wake.Mark();
            TimeSpan? wait = null;
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                logger.ProbesFailed(failure);
                // What is due stays due: without this the loop would spin.
                wait = options.Value.ProbeInterval;
            }
            wait ??= _tried.Values.Select(Left).DefaultIfEmpty(options.Value.ProbeInterval).Min();
            await wake.WaitAsync(wait.Value, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RoundAsync(CancellationToken stoppingToken)
    {
        var running = (from listener in table.Current
                       let app = apps.Find(listener.App)
                       where app is { IsServing: true }
                       select new Subject(listener, app.ContainerId)).ToDictionary(s => s.Listener.Name, StringComparer.Ordinal);
        health.Keep(running.Keys.ToHashSet(StringComparer.Ordinal));
        foreach (var gone in _tried.Keys.Where(n => !running.ContainsKey(n)).ToList()) _tried.Remove(gone);

        var due = running.Values.Where(s => _tried.GetValueOrDefault(s.Listener.Name) is not { } last || last.Subject != s || Left(last) == TimeSpan.Zero);
        foreach (var batch in due.Chunk(AtOnce))
        {
            var failures = await Task.WhenAll(batch.Select(s => probe.TryAsync(s.Listener, stoppingToken)));
            foreach (var (subject, failure) in batch.Zip(failures)) Record(subject, failure);
        }
    }

    private void Record(Subject subject, string? failure)
    {
        var listener = subject.Listener;
        _tried[listener.Name] = new Tried(subject, failure is null, time.GetTimestamp());
        if (!health.Set(listener.Name, failure)) return;
        if (failure is null) logger.ListenerUp(listener.App, listener.Name);
        else logger.ListenerDown(listener.App, listener.Name, failure);
    }

    private TimeSpan Left(Tried tried)
    {
        var left = (tried.Answered ? options.Value.ProbeInterval : options.Value.ProbeRetry) - time.GetElapsedTime(tried.At);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private sealed record Subject(PublishedListener Listener, string? ContainerId);

    private sealed record Tried(Subject Subject, bool Answered, long At);
}
