using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Work;

/// <summary>Where one service's container stands after a step.</summary>
internal abstract record ServiceStep
{
    public sealed record Runs(ObservedContainer Container, bool JustStarted) : ServiceStep;

    /// <summary>It was to run once and exited with code 0.</summary>
    public sealed record Completed(ObservedContainer Container) : ServiceStep;

    public sealed record Exited(ObservedContainer Container) : ServiceStep;

    /// <param name="Old">The container that still runs as it did, where there is one.</param>
    public sealed record Failed(ContainerFault Fault, ObservedContainer? Old = null) : ServiceStep;
}

/// <summary>
/// One service's container: found, fetched for, replaced, started. Only waits and downloads can be broken off: a start that the engine has already begun
/// would go on behind our back, so such calls are seen through; the runtime bounds them.
/// </summary>
internal sealed class ServiceWork(string app, string service, AppWorkContext context)
{
    /// <summary>The volumes of the container that was removed to be recreated, until the new one has them.</summary>
    private ImmutableSortedDictionary<string, string> _kept = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>When we last started the container and saw it run; null when it is stopped by us or was never seen running.</summary>
    public DateTimeOffset? RunningSince { get; private set; }

    public ServiceHealth Health { get; } = new();

    /// <summary>Null = nothing to ask, or not looked for yet.</summary>
    public HealthCheckDefinition? Check { get; set; }

    public TimeSpan StopGrace { get; set; } = context.StopGrace;

    /// <summary>How much of its image came when that was fetched last; null where it was here.</summary>
    public PullProgress? Pull { get; private set; }

    /// <summary>It was stopped, or its container has gone.</summary>
    public void Stopped() => RunningSince = null;

    /// <summary>Fetches the image unless it is here. The old container goes only afterwards, so that a wrong image name leaves the app as it was.</summary>
    /// <param name="runs">Whether anything of the app runs: it does so meanwhile.</param>
    public async Task<ServiceStep.Failed?> FetchAsync(ObservedContainer? old, ContainerSpec spec, bool runs, CancellationToken cancellationToken)
    {
        Pull = null;
        var has = await context.Runtime.HasImageAsync(spec.Image, CancellationToken.None);
        if (has.Fault is null && !has.Value)
        {
            var progress = new PullReport(spec.Image, context.Time, (detail, pull) =>
            {
                Pull = pull;
                var state = old is { IsRunning: true } ? AppState.Updating : AppState.Installing;
                var own = new ServiceStatus(service, state, detail, old?.Id, null) { Pull = pull };
                context.Board.Set(app, runs ? AppState.Updating : AppState.Installing, detail, own);
            });
            await Slots.UseAsync(
                context.Pulls.Of(spec.Image), async () => has = has with { Fault = await context.Runtime.PullAsync(spec.Image, progress, cancellationToken) },
                cancellationToken);
            if (has.Fault is null) progress.End();
        }
        return has.Fault is { } fault ? new ServiceStep.Failed(fault, old) : null;
    }

    /// <summary>Brings the container to the spec, of which the image is here.</summary>
    public async Task<ServiceStep> EnsureAsync(ObservedContainer? current, ContainerSpec spec, bool once, CancellationToken cancellationToken)
    {
        ServiceStep? step = null;
        if (current?.SpecHash != spec.Hash)
        {
            await Slots.UseAsync(context.Starts, async () => step = await ReplaceAsync(current, spec, cancellationToken), cancellationToken);
            return step!;
        }
        if (current.IsRunning) return Running(current, justStarted: false);
        if (once && current.ExitCode == 0) return new ServiceStep.Completed(current);
        if (RunningSince is not null) return new ServiceStep.Exited(current);
        await Slots.UseAsync(context.Starts, async () => step = await StartAsync(current.Id, cancellationToken), cancellationToken);
        return step!;
    }

    private async Task<ServiceStep> ReplaceAsync(ObservedContainer? old, ContainerSpec spec, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Starting(old?.Id);
        if (old is not null)
        {
            var volumes = await context.Runtime.VolumesOfAsync(old.Id, CancellationToken.None);
            if (volumes.Value is { IsEmpty: false } some) _kept = some;
            var fault = volumes.Fault ?? await context.Runtime.StopAsync(old.Id, StopGrace, CancellationToken.None)
                ?? await context.Runtime.RemoveAsync(old.Id, CancellationToken.None);
            RunningSince = null;
            if (fault is not null) return new ServiceStep.Failed(fault);
        }
        var created = await context.Runtime.CreateAsync(spec, _kept, CancellationToken.None);
        if (created.Fault is { } createFault) return new ServiceStep.Failed(createFault);
        _kept = _kept.Clear();
        return await StartAsync(created.Value!, cancellationToken);
    }

    private async Task<ServiceStep> StartAsync(string id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var span = Primitives.Traces.Source.StartActivity("app start")?.SetTag("app", $"{app}").SetTag("service", service);
        Starting(id);
        if (await context.Runtime.StartAsync(id, CancellationToken.None) is { } fault) return new ServiceStep.Failed(fault);
        var found = await context.Runtime.FindAsync(app, service, CancellationToken.None);
        if (found.Fault is { } lost) return new ServiceStep.Failed(lost);
        if (found.Value is not { } container) return new ServiceStep.Failed(EngineErrors.NotFound);
        if (container.IsRunning) return Running(container, justStarted: true);
        // Seen to have run, so that the next step does not take it for one that was never started.
        RunningSince = context.Time.GetUtcNow();
        return new ServiceStep.Exited(container);
    }

    private void Starting(string? id) => context.Board.Set(
        app, AppState.Starting, "", new ServiceStatus(service, AppState.Starting, "", id, null) { Pull = Pull, HasCheck = Check is not null });

    private ServiceStep.Runs Running(ObservedContainer container, bool justStarted)
    {
        var now = context.Time.GetUtcNow();
        if (RunningSince is null || justStarted) Health.Started(now);
        RunningSince = justStarted ? now : RunningSince ?? now;
        return new ServiceStep.Runs(container, justStarted);
    }
}

/// <summary>Work of which only so much goes on at a time.</summary>
internal static class Slots
{
    public static async Task UseAsync(SemaphoreSlim slots, Func<Task> work, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken);
        try
        {
            await work();
        }
        finally
        {
            slots.Release();
        }
    }
}
