using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Apps.Work;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Leadership;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes;

namespace Piccolo.Core.Apps;

/// <summary>
/// Makes containers be what the store, the roles and the lock want: each round recomputes every app's goal and gives it to the app's lane. An app
/// runs only while the store is open, the owner wants it and this node leads it.
/// </summary>
internal sealed class AppSupervisor : IDisposable
{
    /// <summary>
    /// How many apps are started at a time, how many are stopped, and how many fetch from one registry: a slow one of these delays none of the others.
    /// </summary>
    private const int MaxAtATime = 4;
    private static readonly TimeSpan Regular = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ShutdownGrace = TimeSpan.FromSeconds(5);

    private readonly SealedStore _store;
    private readonly LeadershipRegistry _leadership;
    private readonly IContainerRuntime _runtime;
    private readonly InstanceId _instance;
    private readonly HealthTracker _health;
    private readonly TimeProvider _time;
    private readonly Func<double> _random;
    private readonly ILogger<AppSupervisor> _logger;
    private readonly AppWorkContext _context;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lazy<Task> _shutDown;
    private readonly ServiceProbe _probe;
    private readonly AppPlanner _planner;
    private readonly IAppVolumes _volumes;
    private readonly AppHolds _holds;
    private readonly ConcurrentDictionary<string, AppLane> _lanes = new(StringComparer.Ordinal);
    private int _engineFailures;

    public AppSupervisor(
        SealedStore store, AppCatalog catalog, LeadershipRegistry leadership, IContainerRuntime runtime, IAppVolumes volumes, IListenerUrls urls,
        InstanceId instance, AppStatusBoard board, AppHolds holds, HealthTracker health, IOptions<ContainerOptions> options, TimeProvider time,
        Func<double> random, ILogger<AppSupervisor> logger)
    {
        (_store, _leadership, _runtime, _instance, _health, _time, _random, _logger) = (store, leadership, runtime, instance, health, time, random, logger);
        (_volumes, _holds, _probe, _planner) = (volumes, holds, new ServiceProbe(runtime, time), new AppPlanner(urls, instance, time));
        _context = new AppWorkContext(
            runtime, volumes, _probe, board, time, random, options.Value.StopGrace,
            Pulls: new PullSlots(MaxAtATime), Starts: new SemaphoreSlim(MaxAtATime), Stops: new SemaphoreSlim(MaxAtATime), Retry: new ChangeSignal(),
            app => catalog.MoveBusyGuardPorts(app), catalog.Fetching.TryPass, catalog.Fetched, catalog.Updated, catalog.Removed, logger);
        _shutDown = new Lazy<Task>(EndAsync);
        Signals = new SignalSet(store.Changed, leadership.Changed, runtime.Changed, volumes.Changed, holds.Changed, _context.Retry);
    }

    /// <summary>What makes another round worth while. The store also says when the vault opened or locked it.</summary>
    public SignalSet Signals { get; }

    /// <summary>Recomputes the goals and sets the lanes to work; does not wait for them.</summary>
    /// <returns>When the next round is due if no signal comes before.</returns>
    public async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        var (apps, plans, removals) = ReadApps();
        var found = await _runtime.ListAsync(cancellationToken);
        if (found.Fault is { } fault) return EngineAway(apps, fault);
        _engineFailures = 0;
        _health.Ok(HealthComponents.Containers, "the container engine answers");

        var ours = found.Value;
        await RemoveStraysAsync(ours, cancellationToken);
        var goals = AppGoals.Decide(
            apps, apps is null ? [] : _store.UnreadableKeys(AppRecord.Collection), removals,
            ours.Select(c => c.App).Concat(_volumes.Mounted()).Concat(_lanes.Keys),
            _holds.Current, app => _leadership.RoleOf(ResourceId.App(app)), app => plans.GetValueOrDefault(app.Name));
        foreach (var (app, goal) in goals) LaneOf(app).SetGoal(goal);
        foreach (var (app, lane) in _lanes)
            if (lane.IsDone && ours.All(c => c.App != app)) _lanes.TryRemove(app, out _);
        return UntilNext();
    }

    /// <summary>Ends all work and stops what runs: after the next start the appliance is locked, and locked means stopped.</summary>
    /// <remarks>A host may stop its services more than once, and at the same time: every caller waits for the same end, so that the keys go after the
    /// apps.</remarks>
    public Task ShutDownAsync() => _shutDown.Value;

    private async Task EndAsync()
    {
        using var limit = new CancellationTokenSource(ShutdownLimit, _time);
        await _ending.CancelAsync();
        try
        {
            await Task.WhenAll(_lanes.Values.Select(l => l.Idle)).WaitAsync(limit.Token);
            var found = await _runtime.ListAsync(limit.Token);
            if (found.Fault is not null) _logger.ShutdownIncomplete(found.Fault.Sentence);
            else await Task.WhenAll(found.Value.Where(c => c.IsRunning).Select(c => StopForGoodAsync(c, limit.Token)));
            foreach (var app in _volumes.Mounted())
                if (await _volumes.CloseAsync(app, limit.Token) is { } open) _logger.ShutdownIncomplete(open.Sentence);
        }
        catch (OperationCanceledException)
        {
            _logger.ShutdownIncomplete($"Apps did not stop within {ShutdownLimit.TotalSeconds} s.");
        }
    }

    public void Dispose()
    {
        _context.Pulls.Dispose();
        _context.Starts.Dispose();
        _context.Stops.Dispose();
        _probe.Dispose();
        _ending.Dispose();
    }

    /// <returns>Null apps while locked.</returns>
    private (IReadOnlyList<AppRecord>? Apps, IReadOnlyDictionary<string, AppPlan?> Plans, IReadOnlyList<AppRemoval> Removals) ReadApps()
    {
        var none = ImmutableDictionary<string, AppPlan?>.Empty;
        if (!_store.IsOpen) return (null, none, []);
        try
        {
            var apps = _store.List(AppRecord.Collection);
            var secrets = _store.List(AppSecrets.Collection).ToDictionary(s => s.App, StringComparer.Ordinal);
            var plans = apps.ToDictionary(a => a.Name, a => _planner.Plan(a, secrets.GetValueOrDefault(a.Name)), StringComparer.Ordinal);
            return (apps, plans, _store.List(AppRemoval.Collection));
        }
        catch (StoreSealedException)
        {
            return (null, none, []);
        }
    }

    private AppLane LaneOf(string app) => _lanes.GetOrAdd(app, name => new AppLane(name, _context, _ending.Token));

    /// <summary>Nothing can be known of any container now, and nothing is claimed.</summary>
    private TimeSpan EngineAway(IReadOnlyList<AppRecord>? apps, ContainerFault fault)
    {
        _health.Degraded(HealthComponents.Containers, $"{fault.Sentence} {fault.NextStep}");
        // What is not mounted nobody writes to, whatever runs; and who holds an app keeps its volumes closed.
        foreach (var hold in _holds.Current) hold.Report(_volumes.Mounted().Contains(hold.App) ? fault.Sentence : null);
        var delay = RetryDelay.After(++_engineFailures, Regular, _random);
        var names = (apps ?? []).Select(a => a.Name).Union(_lanes.Keys, StringComparer.Ordinal);
        foreach (var app in apps ?? []) _context.Board.Begin(app.Name, app.UpdatedAt);
        foreach (var app in names)
        {
            _context.Board.Set(
                app, AppState.Failed, AppReasons.Of(fault.Kind), $"{fault.Sentence} {fault.NextStep}", nextAttempt: _time.GetUtcNow() + delay,
                services: _ => [], failures: _engineFailures);
        }
        return delay;
    }

    /// <summary>Containers under one of our names that no app of theirs has: nothing would ever take care of them.</summary>
    private async Task RemoveStraysAsync(ImmutableArray<ObservedContainer> ours, CancellationToken cancellationToken)
    {
        foreach (var stray in ours.Where(c => c.Name != ContainerSpec.NameOf(_instance, c.App, c.Service)))
            if (await _runtime.RemoveAsync(stray.Id, cancellationToken) is null) _logger.AppRemoved(stray.Name);
    }

    private async Task StopForGoodAsync(ObservedContainer container, CancellationToken cancellationToken)
    {
        if (await _runtime.StopAsync(container.Id, ShutdownGrace, cancellationToken) is { } fault)
        {
            _logger.ShutdownIncomplete(fault.Sentence);
            return;
        }
        _logger.AppStopped(container.App, AppReason.Shutdown);
        _context.Board.Set(container.App, AppState.Stopped, AppReason.Shutdown, containerId: container.Id);
    }

    private TimeSpan UntilNext()
    {
        var next = _lanes.Values.Select(l => l.NextAttempt).OfType<DateTimeOffset>().DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        var until = next == DateTimeOffset.MaxValue ? Regular : next - _time.GetUtcNow();
        return until > Regular ? Regular : until < Soonest ? Soonest : until;
    }
}
