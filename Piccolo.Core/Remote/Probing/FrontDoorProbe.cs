using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;

namespace Piccolo.Core.Remote.Probing;

/// <summary>
/// Dials every public name of this device from outside, some minutes apart and soon after anything about a name has changed, and keeps the results. It only
/// tells: nothing follows from it but what the owner sees. While locked or switched off it dials nobody.
/// </summary>
internal sealed class FrontDoorProbe(
    RemoteAccess remote, RouteTableHolder routes, SealedStore store, RelayTunnel tunnel, ServerCertificateTable certificates, FrontDoorBoard board,
    NameProber prober,
    IOptions<RemoteOptions> options, TimeProvider time, ILogger<FrontDoorProbe> logger) : BackgroundService
{
    // Only a safety net for a bug: every cause has its signal or its moment.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    // Every name's own moment lies somewhere within this share of the interval, so that a hundred names do not all act at once.
    private const double Jitter = 0.1;

    private ImmutableDictionary<string, Plan> _plans = ImmutableDictionary.Create<string, Plan>(StringComparer.Ordinal);

    /// <summary>When the next name is dialled; null while there is none.</summary>
    internal DateTimeOffset? NextLook => Volatile.Read(ref _plans) is { IsEmpty: false } plans ? plans.Values.Min(p => p.Due) : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(routes.Changed, certificates.Changed, tunnel.Changed, store.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            var wait = LongestWait;
            try
            {
                wait = await StepAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.ProbeFailed(e);
            }
            await signals.WaitAsync(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>How long nothing is due.</returns>
    private async Task<TimeSpan> StepAsync(CancellationToken cancellationToken)
    {
        Follow();
        var due = _plans.Values.Where(p => p.Due <= time.GetUtcNow()).ToList();
        if (due.Count > 0) await ProbeWhileOpenAsync(due, cancellationToken);
        var soonest = _plans.IsEmpty ? LongestWait : _plans.Values.Min(p => p.Due) - time.GetUtcNow();
        return soonest < TimeSpan.Zero ? TimeSpan.Zero : soonest < LongestWait ? soonest : LongestWait;
    }

    /// <summary>Brings the list of names up to date: what changed about a name makes it due soon.</summary>
    private void Follow()
    {
        var now = time.GetUtcNow();
        var targets = store.IsOpen ? remote.Plan.Routes.Select(ProbeTarget.Of).DistinctBy(t => t.Name).ToList() : [];
        var line = tunnel.Status;
        _plans = _plans.Clear().AddRange(targets.Select(target =>
        {
            var isServed = line.State == TunnelState.Online && line.Hostnames.Contains(target.Name);
            var seen = new Seen(target, certificates.Find(target.Name)?.Leaf.Thumbprint, isServed);
            var known = _plans.GetValueOrDefault(target.Name);
            var plan = known?.Seen == seen ? known : new Plan(seen, now + (isServed ? options.Value.ProbeDebounce : options.Value.ProbeGrace));
            return KeyValuePair.Create(target.Name, plan);
        }));
        board.Keep(_plans.Keys, now);
    }

    private async Task ProbeWhileOpenAsync(List<Plan> due, CancellationToken cancellationToken)
    {
        using var round = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var looking = Parallel.ForEachAsync(
            due, new ParallelOptions { MaxDegreeOfParallelism = options.Value.ProbeParallelism, CancellationToken = round.Token },
            async (plan, token) => await ProbeAsync(plan.Seen.Target, token));
        while (!looking.IsCompleted)
        {
            var seen = store.Changed.Version;
            // A lock ends the dials that are under way.
            if (!store.IsOpen) break;
            await Task.WhenAny(looking, store.Changed.WaitAsync(seen, round.Token));
        }
        if (!looking.IsCompleted) await round.CancelAsync();
        await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await round.CancelAsync();
        if (looking.IsFaulted) await looking;
        foreach (var plan in due) _plans = _plans.SetItem(plan.Seen.Target.Name, plan with { Due = NextAfter(plan.Seen.Target.Name) });
    }

    private async Task ProbeAsync(ProbeTarget target, CancellationToken cancellationToken)
    {
        var seen = await prober.ProbeAsync(target, cancellationToken);
        if (IsTrouble(seen.Result) && board.Find(target.Name)?.Result != seen.Result)
        {
            // A single lost packet is no news.
            await Task.Delay(options.Value.ProbeConfirmation, time, cancellationToken);
            seen = await prober.ProbeAsync(target, cancellationToken);
        }
        if (board.Record(target.Name, seen, time.GetUtcNow()) is not var (before, after) || before.Result == after.Result) return;
        if (IsTrouble(after.Result)) logger.NameNotReachable(after.Name, after.Result, after.Detail);
        else if (after.Result == ReachResult.Reachable) logger.NameReachable(after.Name, after.RoundTrip?.TotalMilliseconds ?? 0);
    }

    private DateTimeOffset NextAfter(string name)
    {
        var interval = board.Find(name) is { } reach && IsTrouble(reach.Result) ? options.Value.ProbeRetryInterval : options.Value.ProbeInterval;
        return time.GetUtcNow() + interval * (1 - Jitter + (2 * Jitter * Random.Shared.NextDouble()));
    }

    private static bool IsTrouble(ReachResult result) => result is ReachResult.Dead or ReachResult.WrongKey or ReachResult.Dns;

    /// <summary>What a result is about: when any of it changes, the result is old.</summary>
    private sealed record Seen(ProbeTarget Target, string? Certificate, bool IsServed);

    private sealed record Plan(Seen Seen, DateTimeOffset Due);
}
