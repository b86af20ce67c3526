using System.Collections.Immutable;
using Piccolo.Core.Containers;
using Piccolo.Core.Leadership;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps;

/// <summary>
/// One app's steps towards a goal, each decided from what the engine says at that moment, so that a step cut off anywhere is simply taken again. Used
/// by one <see cref="AppLane"/> at a time. Only waits and downloads can be broken off: a start that the engine has already begun would go on behind our
/// back, so such calls are seen through; the runtime bounds them.
/// </summary>
internal sealed class AppWork(string app, AppWorkContext context)
{
    /// <summary>An app that ran this long was healthy: its next failure counts as the first.</summary>
    private static readonly TimeSpan HealthyRun = TimeSpan.FromMinutes(1);

    /// <summary>How long a busy guard port is waited for before the app gets another.</summary>
    private static readonly TimeSpan BusyPortTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Each attempt counts against the limit, too.</summary>
    private static readonly TimeSpan RateLimitPause = TimeSpan.FromMinutes(15);

    private int _failures;
    private DateTimeOffset? _portBusySince;

    /// <summary>The volumes of the container that was removed to be recreated, until the new one has them.</summary>
    private ImmutableSortedDictionary<string, string> _kept = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>When we last started the container and saw it run; null when it is stopped by us or was never seen running.</summary>
    private DateTimeOffset? _runningSince;

    // Ticks, because others read it while the lane writes; 0 = none.
    private long _notBefore;

    /// <summary>When the next attempt is due after a failure.</summary>
    public DateTimeOffset? NotBefore
    {
        get => Volatile.Read(ref _notBefore) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        private set => Volatile.Write(ref _notBefore, value?.UtcTicks ?? 0);
    }

    public void ForgetFailures() => (_failures, NotBefore, _portBusySince) = (0, null, null);

    public Task TowardsAsync(AppGoal goal, CancellationToken cancellationToken)
    {
        if (NotBefore is { } due && context.Time.GetUtcNow() < due) return Task.CompletedTask;
        NotBefore = null;
        return goal switch
        {
            AppGoal.Run { UpdateAsked: { } asked } run => UpdateAsync(run.Spec.Image, asked, cancellationToken),
            AppGoal.Run run => RunAsync(run.Spec, cancellationToken),
            AppGoal.Stop stop => WithSlotAsync(context.Stops, () => StopAsync(stop.Reason), cancellationToken),
            AppGoal.Remove remove => WithSlotAsync(context.Stops, () => RemoveAsync(remove.WithVolumes), cancellationToken),
            _ => throw new InvalidOperationException(),
        };
    }

    /// <summary>The work failed with an unexpected exception.</summary>
    public void RecordCrash(Exception exception)
    {
        var next = Postpone();
        context.Logger.AppWorkFailed(app, next, exception);
        context.Board.Set(app, AppState.Error, AppReason.Refused, "An internal error occurred. The appliance's log has its details.", nextAttempt: next);
    }

    private static async Task WithSlotAsync(SemaphoreSlim gate, Func<Task> work, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            await work();
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task RunAsync(ContainerSpec spec, CancellationToken cancellationToken)
    {
        var found = await context.Runtime.FindAsync(app, CancellationToken.None);
        if (found.Fault is { } fault)
        {
            Fail(fault);
            return;
        }
        if (found.Value is { } current && current.SpecHash == spec.Hash)
        {
            if (current.IsRunning) Runs(current.Id, justStarted: false);
            else if (_runningSince is not null) Exited(current);
            else await WithSlotAsync(context.Starts, () => StartAsync(current.Id, cancellationToken), cancellationToken);
            return;
        }
        if (await FetchAsync(found.Value, spec, cancellationToken))
            await WithSlotAsync(context.Starts, () => ReplaceAsync(found.Value, spec, cancellationToken), cancellationToken);
    }

    /// <summary>Fetches the image under its name; whether that makes another container is the next goal's affair. The app runs meanwhile.</summary>
    private async Task UpdateAsync(ImageReference image, DateTimeOffset asked, CancellationToken cancellationToken)
    {
        ContainerFault? fault = null;
        // Nobody serves what was made on this device: its name may mean another image all the same.
        if (!image.IsLocal)
            await WithSlotAsync(context.Pulls.Of(image), async () => fault = await context.Runtime.PullAsync(image, cancellationToken), cancellationToken);
        var newer = fault ?? await context.Runtime.NewerImageAsync(app, image, CancellationToken.None);
        var outcome = newer.Fault is not null ? UpdateOutcome.Failed : newer.Value is null ? UpdateOutcome.Unchanged : UpdateOutcome.Updated;
        var detail = newer.Fault is { } why ? $"{why.Sentence} {why.NextStep}" : "";
        context.Logger.AppUpdateLookedFor(app, outcome, detail);
        context.Updated(app, asked, new AppUpdate(context.Time.GetUtcNow(), outcome, detail), newer.Value);
        context.Retry.Raise();
    }

    /// <summary>The old container goes only when the new one's image is here, so that a wrong image name leaves the app as it was.</summary>
    /// <returns>Whether the image is here.</returns>
    private async Task<bool> FetchAsync(ObservedContainer? old, ContainerSpec spec, CancellationToken cancellationToken)
    {
        var has = await context.Runtime.HasImageAsync(spec.Image, CancellationToken.None);
        if (has.Fault is null && !has.Value)
        {
            if (old is not { IsRunning: true }) context.Board.Set(app, AppState.Pulling, detail: $"Fetching {spec.Image}.", containerId: old?.Id);
            await WithSlotAsync(
                context.Pulls.Of(spec.Image), async () => has = has with { Fault = await context.Runtime.PullAsync(spec.Image, cancellationToken) },
                cancellationToken);
        }
        if (has.Fault is { } fault) Fail(fault, old);
        return has.Fault is null;
    }

    private async Task ReplaceAsync(ObservedContainer? old, ContainerSpec spec, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        context.Board.Set(app, AppState.Starting);
        if (old is not null)
        {
            var volumes = await context.Runtime.VolumesOfAsync(old.Id, CancellationToken.None);
            if (volumes.Value is { IsEmpty: false } some) _kept = some;
            var fault = volumes.Fault ?? await context.Runtime.StopAsync(old.Id, context.StopGrace, CancellationToken.None)
                ?? await context.Runtime.RemoveAsync(old.Id, CancellationToken.None);
            _runningSince = null;
            if (fault is not null)
            {
                Fail(fault);
                return;
            }
        }
        var created = await context.Runtime.CreateAsync(spec, _kept, CancellationToken.None);
        if (created.Fault is { } createFault)
        {
            Fail(createFault);
            return;
        }
        _kept = _kept.Clear();
        await StartAsync(created.Value!, cancellationToken);
    }

    private async Task StartAsync(string id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var span = Traces.Source.StartActivity("app start")?.SetTag("app", $"{app}");
        context.Board.Set(app, AppState.Starting, containerId: id);
        if (await context.Runtime.StartAsync(id, CancellationToken.None) is { } fault)
        {
            Fail(fault);
            return;
        }
        var found = await context.Runtime.FindAsync(app, CancellationToken.None);
        if (found.Fault is { } lost) Fail(lost);
        else if (found.Value is { IsRunning: true } running) Runs(running.Id, justStarted: true);
        else if (found.Value is { } ended) Exited(ended);
        else Fail(EngineErrors.NotFound);
    }

    private void Runs(string id, bool justStarted)
    {
        var now = context.Time.GetUtcNow();
        _runningSince ??= now;
        _portBusySince = null;
        if (now - _runningSince >= HealthyRun) _failures = 0;
        if (justStarted) context.Logger.AppStarted(app, id);
        context.Board.Set(app, AppState.Running, containerId: id);
    }

    private void Exited(ObservedContainer container)
    {
        if (_runningSince is { } since && context.Time.GetUtcNow() - since >= HealthyRun) _failures = 0;
        _runningSince = null;
        var code = container.ExitCode is { } exit ? $" with code {exit}" : "";
        Fail(AppReason.Exited, $"The app exited{code}. See its log.", container.Id);
    }

    private async Task StopAsync(AppReason reason)
    {
        var found = await context.Runtime.FindAsync(app, CancellationToken.None);
        var before = context.Board.Find(app);
        var fault = found.Fault;
        if (fault is null && found.Value is { IsRunning: true } running)
            fault = await context.Runtime.StopAsync(running.Id, context.StopGrace, CancellationToken.None);
        if (fault is not null)
        {
            Fail(fault);
            return;
        }
        var worked = found.Value is { IsRunning: true } || before is { State: AppState.Running or AppState.Starting or AppState.Pulling };
        _runningSince = null;
        ForgetFailures();
        if (worked && reason == AppReason.Follower) context.Logger.AppStoppedAsFollower(ResourceId.App(app).Value, app);
        else if (worked) context.Logger.AppStopped(app, reason);
        context.Board.Set(app, AppState.Stopped, reason, containerId: found.Value?.Id);
    }

    private async Task RemoveAsync(bool withVolumes)
    {
        var found = await context.Runtime.FindAsync(app, CancellationToken.None);
        var fault = found.Fault;
        if (fault is null && found.Value is { } container) fault = await context.Runtime.StopAsync(container.Id, context.StopGrace, CancellationToken.None);
        if (fault is null or { Kind: ContainerFaultKind.Foreign } && withVolumes)
            fault = await context.Runtime.RemoveWithVolumesAsync(app, CancellationToken.None);
        else if (fault is null && found.Value is { } left) fault = await context.Runtime.RemoveAsync(left.Id, CancellationToken.None);
        if (fault is { Kind: not ContainerFaultKind.Foreign })
        {
            Fail(fault);
            return;
        }
        if (found.Value is not null) context.Logger.AppRemoved(app);
        _runningSince = null;
        ForgetFailures();
        _kept = _kept.Clear();
        context.Board.Forget(app);
        if (!withVolumes) return;
        context.Removed(app);
        // The owner may have installed it again meanwhile.
        context.Retry.Raise();
    }

    private void Fail(ContainerFault fault, ObservedContainer? stillThere = null)
    {
        if (fault.Kind == ContainerFaultKind.PortInUse)
        {
            _portBusySince ??= context.Time.GetUtcNow();
            if (context.Time.GetUtcNow() - _portBusySince >= BusyPortTimeout)
            {
                _portBusySince = null;
                context.Logger.GuardPortMoved(app);
                context.MoveBusyGuardPorts(app);
            }
        }
        Fail(
            ReasonOf(fault.Kind), $"{fault.Sentence} {fault.NextStep}", stillThere?.Id,
            fault.Kind == ContainerFaultKind.RateLimited ? RateLimitPause : TimeSpan.Zero);
    }

    private void Fail(AppReason reason, string detail, string? containerId, TimeSpan atLeast = default)
    {
        var next = Postpone(atLeast);
        context.Logger.AppFailed(app, reason, detail, _failures, next);
        context.Board.Set(app, AppState.Error, reason, detail, containerId, next);
    }

    private DateTimeOffset Postpone(TimeSpan atLeast = default)
    {
        var delay = RetryDelay.After(++_failures, context.Random);
        var next = context.Time.GetUtcNow() + (delay > atLeast ? delay : atLeast);
        NotBefore = next;
        context.Retry.Raise();
        return next;
    }

    internal static AppReason ReasonOf(ContainerFaultKind kind) => kind switch
    {
        ContainerFaultKind.NoEngine => AppReason.NoEngine,
        ContainerFaultKind.EngineUnreachable => AppReason.EngineUnreachable,
        ContainerFaultKind.ImageNotFound => AppReason.ImageNotFound,
        ContainerFaultKind.RegistryUnreachable => AppReason.RegistryUnreachable,
        ContainerFaultKind.RateLimited => AppReason.RateLimited,
        ContainerFaultKind.PortInUse => AppReason.PortInUse,
        ContainerFaultKind.Foreign => AppReason.NameTaken,
        _ => AppReason.Refused,
    };
}
