using System.Collections.Immutable;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Containers;
using Piccolo.Core.Leadership;
using Piccolo.Core.Volumes;

namespace Piccolo.Core.Apps.Work;

/// <summary>
/// One app's steps towards a goal, each decided from what the engine says at that moment, so that a step cut off anywhere is simply taken again. Used
/// by one <see cref="AppLane"/> at a time.
/// </summary>
internal sealed class AppWork(string app, AppWorkContext context)
{
    /// <summary>An app that ran this long was healthy: its next failure counts as the first.</summary>
    private static readonly TimeSpan HealthyRun = TimeSpan.FromMinutes(1);

    /// <summary>How long a busy guard port is waited for before the app gets another.</summary>
    private static readonly TimeSpan BusyPortTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Each attempt counts against the limit, too.</summary>
    private static readonly TimeSpan RateLimitPause = TimeSpan.FromMinutes(15);

    private readonly AppStart _start = new(app, context);
    private int _failures;
    private DateTimeOffset? _portBusySince;

    // Ticks, because others read them while the lane writes; 0 = none.
    private long _notBefore;
    private long _nextLook;

    /// <summary>When the next attempt is due after a failure.</summary>
    public DateTimeOffset? NotBefore
    {
        get => FromTicks(ref _notBefore);
        private set => Volatile.Write(ref _notBefore, value?.UtcTicks ?? 0);
    }

    /// <summary>When to look again although nothing failed and nobody tells: a health check is due.</summary>
    public DateTimeOffset? NextLook
    {
        get => FromTicks(ref _nextLook);
        private set => Volatile.Write(ref _nextLook, value?.UtcTicks ?? 0);
    }

    public void ForgetFailures() => (_failures, NotBefore, _portBusySince) = (0, null, null);

    public Task TowardsAsync(AppGoal goal, CancellationToken cancellationToken)
    {
        if (NotBefore is { } due && context.Time.GetUtcNow() < due) return Task.CompletedTask;
        (NotBefore, NextLook) = (null, null);
        if (goal.Revision is { } revision) context.Board.Begin(app, revision);
        return goal switch
        {
            AppGoal.Run { UpdateAsked: { } asked } run => UpdateAsync(run.Plan, asked, cancellationToken),
            AppGoal.Run run => RunAsync(run.Plan, cancellationToken),
            AppGoal.Rest { Hold.IsReached: true } => Task.CompletedTask,
            AppGoal.Rest rest => Slots.UseAsync(context.Stops, () => RestAsync(rest.Hold), cancellationToken),
            AppGoal.Stop stop => Slots.UseAsync(context.Stops, () => StopAsync(stop.Reason), cancellationToken),
            AppGoal.Remove remove => Slots.UseAsync(context.Stops, () => RemoveAsync(remove.Removal), cancellationToken),
            _ => throw new InvalidOperationException(),
        };
    }

    /// <summary>The work failed with an unexpected exception.</summary>
    public void RecordCrash(Exception exception)
    {
        var next = Postpone();
        context.Logger.AppWorkFailed(app, next, exception);
        context.Board.Set(
            app, AppState.Failed, AppReason.Refused, "An internal error occurred. The appliance's log has its details.", nextAttempt: next,
            failures: _failures);
    }

    private async Task RunAsync(AppPlan plan, CancellationToken cancellationToken)
    {
        if (context.Volumes.Broken().Contains(app) && await CloseBrokenAsync() is { } still)
        {
            Fail(still);
            return;
        }
        switch (await _start.RunAsync(plan, cancellationToken))
        {
            case StartResult.Reached reached:
                _portBusySince = null;
                if (plan.Services.All(s => context.Time.GetUtcNow() - _start.Of(s.Name).RunningSince is not { } ran || ran >= HealthyRun)) _failures = 0;
                var main = reached.Services.FirstOrDefault(s => s.Name == plan.Main)?.ContainerId;
                context.Board.Set(app, reached.State, reached.Reason, reached.Detail, main, services: _ => reached.Services);
                if (reached.NextLook is null) break;
                NextLook = reached.NextLook;
                context.Retry.Raise();
                break;
            case StartResult.EngineFault failed:
                Fail(failed.Fault, failed.Old, plan, failed.Service);
                break;
            case StartResult.VolumesFault failed:
                // What runs holds a mount that the daemon does not see any more: it has to let go.
                if (failed.Fault.Kind == VolumeFaultKind.Busy) await CloseBrokenAsync();
                Fail(ReasonOf(failed.Fault.Kind), $"{failed.Fault.Sentence} {failed.Fault.NextStep}", null);
                break;
            case StartResult.Exited exited:
                if (exited.RanFor >= HealthyRun) _failures = 0;
                var code = exited.Container.ExitCode is { } exit ? $" with code {exit}" : "";
                var who = plan.Services.Length == 1 ? "The app" : $"The service '{exited.Service}'";
                Fail(AppReason.Exited, $"{who} exited{code}. See its log.", exited.Container.Id, service: exited.Service, exitCode: exited.Container.ExitCode);
                break;
            case StartResult.TakenBack:
                // The goal of that is on its way. Where there is none after all, because another app took a name of the old revision, the next round goes on.
                break;
        }
    }

    /// <summary>Fetches the images under their names; whether that makes other containers is the next goal's affair. The app runs meanwhile.</summary>
    private async Task UpdateAsync(AppPlan plan, DateTimeOffset asked, CancellationToken cancellationToken)
    {
        var newer = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        ContainerFault? fault = null;
        var before = context.Board.Find(app);
        foreach (var service in plan.Services)
        {
            var image = service.Spec.Image;
            if (before is { State: AppState.Running or AppState.Unhealthy })
                context.Board.Set(app, AppState.Updating, detail: $"Looking for a newer {image}.", containerId: before.ContainerId);
            // Nobody serves what was made on this device: its name may mean another image all the same.
            if (!image.IsLocal)
            {
                await Slots.UseAsync(
                    context.Pulls.Of(image), async () => fault = await context.Runtime.PullAsync(image, null, cancellationToken), cancellationToken);
            }
            if (fault is not null) break;
            var compared = await context.Runtime.NewerImageAsync(app, service.Name, image, CancellationToken.None);
            if ((fault = compared.Fault) is not null) break;
            if (compared.Value is { } id) newer = newer.SetItem(service.Name, id);
        }
        var outcome = fault is not null ? UpdateOutcome.Failed : newer.IsEmpty ? UpdateOutcome.Unchanged : UpdateOutcome.Updated;
        var detail = fault is { } why ? $"{why.Sentence} {why.NextStep}" : "";
        context.Logger.AppUpdateLookedFor(app, outcome, detail);
        // All or none: two services of one app may only work with each other's new version.
        context.Updated(app, asked, new AppUpdate(context.Time.GetUtcNow(), outcome, detail), fault is null ? newer : newer.Clear());
        context.Retry.Raise();
    }

    /// <summary>
    /// A volume has lost its server, or its mount is held by containers alone: they see errors, or a mount that nobody else sees, until they are started again
    /// over a new one.
    /// </summary>
    private async Task<ContainerFault?> CloseBrokenAsync()
    {
        context.Logger.VolumeLost(app);
        context.Board.Set(app, AppState.Starting, detail: "Its volumes have to be opened anew; the app is stopped and started again.");
        var (fault, _) = await StopAllAsync();
        _start.Stopped();
        // What cannot be closed now is said by the next opening.
        if (fault is null) await context.Volumes.CloseAsync(app, CancellationToken.None);
        return fault;
    }

    /// <summary>One attempt: who waits for it decides what a failure means.</summary>
    private async Task RestAsync(AppHold hold)
    {
        await StopAsync(AppReason.Export);
        hold.Report(context.Board.Find(app) is { State: AppState.Stopped } or null ? null : context.Board.Find(app)!.Detail);
    }

    private async Task StopAsync(AppReason reason)
    {
        var before = context.Board.Find(app);
        context.Board.At(app, AppPhase.StopServices);
        var (fault, containers) = await StopAllAsync();
        if (fault is not null)
        {
            Fail(fault);
            return;
        }
        // Also where a volume stays open: what was stopped on purpose has not failed when it is to run again.
        _start.Stopped();
        context.Board.At(app, AppPhase.CloseVolumes);
        if (await context.Volumes.CloseAsync(app, CancellationToken.None) is { } open)
        {
            Fail(ReasonOf(open.Kind), $"{open.Sentence} {open.NextStep}", null);
            return;
        }
        var worked = containers.Any(c => c.IsRunning)
            || before is { State: AppState.Running or AppState.Unhealthy or AppState.Starting or AppState.Installing or AppState.Updating };
        ForgetFailures();
        if (worked && reason == AppReason.Follower) context.Logger.AppStoppedAsFollower(ResourceId.App(app).Value, app);
        else if (worked) context.Logger.AppStopped(app, reason);
        context.Board.Set(
            app, AppState.Stopped, reason, reason == AppReason.Export ? "Its volumes are copied into an export; it goes on by itself." : "",
            containerId: containers.FirstOrDefault(c => c.Service == ContainerSpec.MainService)?.Id,
            services: known => [.. known.Select(s => Stopped(s, reason))]);
    }

    /// <summary>In the reverse order of the start; what no plan of this run had goes first.</summary>
    private async Task<(ContainerFault? Fault, ImmutableArray<ObservedContainer> Containers)> StopAllAsync()
    {
        var found = await context.Runtime.ListAsync(CancellationToken.None);
        if (found.Fault is { } away) return (away, []);
        ImmutableArray<ObservedContainer> ours = [.. found.Value.Where(c => c.App == app).OrderByDescending(c => (uint)_start.Order.IndexOf(c.Service))];
        foreach (var container in ours.Where(c => c.IsRunning))
        {
            var grace = _start.Of(container.Service).StopGrace;
            if (await context.Runtime.StopAsync(container.Id, grace, CancellationToken.None) is { } fault) return (fault, ours);
        }
        return (null, ours);
    }

    /// <param name="removal">The owner's word; null = what the app has stays.</param>
    private async Task RemoveAsync(AppRemoval? removal)
    {
        if (removal is not null)
        {
            context.Board.Set(app, AppState.Removing, containerId: context.Board.Find(app)?.ContainerId);
            context.Board.At(app, AppPhase.StopServices);
        }
        var (fault, containers) = await StopAllAsync();
        if (removal is not null) context.Board.At(app, AppPhase.RemoveContainers);
        if (fault is null && removal is not null) fault = await context.Runtime.RemoveWithVolumesAsync(app, CancellationToken.None);
        else
        {
            foreach (var left in containers) fault ??= await context.Runtime.RemoveAsync(left.Id, CancellationToken.None);
        }
        if (fault is { Kind: not ContainerFaultKind.Foreign })
        {
            Fail(fault);
            return;
        }
        if (removal is not null) context.Board.At(app, removal.IsPurge ? AppPhase.DeleteVolumes : AppPhase.CloseVolumes);
        var open = await context.Volumes.CloseAsync(app, CancellationToken.None);
        if (open is null && removal is { IsPurge: true }) open = await context.Volumes.PurgeAsync(app, CancellationToken.None);
        if (open is not null)
        {
            Fail(ReasonOf(open.Kind), $"{open.Sentence} {open.NextStep}", null);
            return;
        }
        if (!containers.IsEmpty) context.Logger.AppRemoved(app);
        _start.Stopped();
        ForgetFailures();
        context.Board.Forget(app);
        if (removal is null) return;
        context.Removed(app);
        // The owner may have installed it again meanwhile.
        context.Retry.Raise();
    }

    private void Fail(ContainerFault fault, ObservedContainer? stillThere = null, AppPlan? plan = null, string? service = null)
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
            AppReasons.Of(fault.Kind), $"{(plan is { Services.Length: > 1 } ? service + ": " : "")}{fault.Sentence} {fault.NextStep}", stillThere?.Id,
            fault.Kind == ContainerFaultKind.RateLimited ? fault.RetryAfter ?? RateLimitPause : TimeSpan.Zero, service);
    }

    /// <param name="service">Whose failure it is; null = the app's as a whole.</param>
    private void Fail(
        AppReason reason, string detail, string? containerId, TimeSpan atLeast = default, string? service = null, int? exitCode = null)
    {
        var next = Postpone(atLeast);
        context.Logger.AppFailed(app, reason, detail, _failures, next);
        context.Board.Set(
            app, AppState.Failed, reason, detail, containerId, next,
            known => service is null ? known : AppStatusBoard.With(
                known, new ServiceStatus(service, AppState.Failed, detail, containerId, exitCode) { Reason = reason, NextAttempt = next }),
            _failures);
    }

    private static ServiceStatus Stopped(ServiceStatus service, AppReason reason) =>
        new(service.Name, AppState.Stopped, "", service.ContainerId, service.ExitCode) { Reason = reason };

    private DateTimeOffset Postpone(TimeSpan atLeast = default)
    {
        var delay = RetryDelay.After(++_failures, context.Random);
        var next = context.Time.GetUtcNow() + (delay > atLeast ? delay : atLeast);
        NotBefore = next;
        context.Retry.Raise();
        return next;
    }

    private static AppReason ReasonOf(VolumeFaultKind kind) => kind == VolumeFaultKind.Full ? AppReason.VolumeFull : AppReason.VolumeUnavailable;

    private static DateTimeOffset? FromTicks(ref long field) =>
        Volatile.Read(ref field) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
}
