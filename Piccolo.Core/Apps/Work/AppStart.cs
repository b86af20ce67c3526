using System.Collections.Immutable;
using System.Globalization;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Containers;
using Piccolo.Core.Volumes;

namespace Piccolo.Core.Apps.Work;

/// <summary>How far an app has come towards its plan.</summary>
internal abstract record StartResult
{
    /// <param name="NextLook">When something may have changed that nobody tells of; null = nothing is waited for.</param>
    public sealed record Reached(AppState State, AppReason Reason, string Detail, ImmutableArray<ServiceStatus> Services, DateTimeOffset? NextLook)
        : StartResult;

    public sealed record EngineFault(string Service, ContainerFault Fault, ObservedContainer? Old) : StartResult;

    public sealed record VolumesFault(VolumeFault Fault) : StartResult;

    public sealed record Exited(string Service, ObservedContainer Container, TimeSpan? RanFor) : StartResult;

    /// <summary>The revision was taken back before anything of the app was touched.</summary>
    public sealed record TakenBack : StartResult;
}

/// <summary>
/// Takes an app towards its plan: images first, then volumes, then the containers in their order, each when those that it depends on are far enough.
/// Each pass goes as far as it can and says where it stopped. Used by one <see cref="AppWork"/> at a time.
/// </summary>
internal sealed class AppStart(string app, AppWorkContext context)
{
    private readonly Dictionary<string, ServiceWork> _services = new(StringComparer.Ordinal);
    private string? _prepared;

    /// <summary>The services of the last plan, in the order of their start.</summary>
    public ImmutableArray<string> Order { get; private set; } = [];

    public ServiceWork Of(string service)
    {
        if (!_services.TryGetValue(service, out var work)) _services[service] = work = new ServiceWork(app, service, context);
        return work;
    }

    /// <summary>All is stopped.</summary>
    public void Stopped()
    {
        _prepared = null;
        foreach (var work in _services.Values) work.Stopped();
    }

    public async Task<StartResult> RunAsync(AppPlan plan, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, ObservedContainer?>(StringComparer.Ordinal);
        foreach (var service in plan.Services)
        {
            var result = await context.Runtime.FindAsync(app, service.Name, CancellationToken.None);
            if (result.Fault is { } fault) return new StartResult.EngineFault(service.Name, fault, null);
            found[service.Name] = result.Value;
        }
        var isNew = _prepared != plan.Hash;
        if (isNew && await FetchAsync(plan, found, cancellationToken) is { } missing) return missing;
        if (!context.MayGoOn(app, plan.Revision)) return new StartResult.TakenBack();
        if (isNew && await PrepareAsync(plan, found, cancellationToken) is { } obstacle) return obstacle;
        context.Board.At(app, AppPhase.OpenVolumes);
        var (wanted, unknown) = await WantedVolumesAsync(plan, cancellationToken);
        if (unknown is not null) return unknown;
        var volumes = wanted.IsEmpty
            ? new VolumeResult(ImmutableSortedDictionary<string, string>.Empty, null)
            : await context.Volumes.OpenAsync(app, wanted, cancellationToken);
        return volumes.Fault is { } closed ? new StartResult.VolumesFault(closed) : await RunAsync(plan, found, volumes.Folders!, cancellationToken);
    }

    private async Task<StartResult> RunAsync(
        AppPlan plan, Dictionary<string, ObservedContainer?> found, ImmutableSortedDictionary<string, string> folders, CancellationToken cancellationToken)
    {
        context.Board.At(app, AppPhase.StartServices);
        var states = new Dictionary<string, ServiceStatus>(StringComparer.Ordinal);
        var waiting = new HashSet<string>(StringComparer.Ordinal);
        DateTimeOffset? nextLook = null;
        foreach (var service in plan.Services)
        {
            var work = Of(service.Name);
            var spec = service.MountedAt(folders);
            // Who runs already is asked, not held back: dependencies are about starting.
            var runs = found[service.Name] is { IsRunning: true } there && there.SpecHash == spec.Hash;
            if (!runs && WhatItWaitsFor(service, states, waiting) is { } why)
            {
                waiting.Add(service.Name);
                Say(new ServiceStatus(service.Name, AppState.Starting, why, found[service.Name]?.Id, null) { IsWaiting = true });
                continue;
            }
            var once = service.Manifest.Run == RunMode.Once;
            switch (await work.EnsureAsync(found[service.Name], spec, once, cancellationToken))
            {
                case ServiceStep.Failed failed:
                    return new StartResult.EngineFault(service.Name, failed.Fault, failed.Old);
                case ServiceStep.Exited { Container.ExitCode: 0 } done when once:
                    Say(new ServiceStatus(service.Name, AppState.Stopped, "", done.Container.Id, 0) { HasStarted = true });
                    break;
                case ServiceStep.Exited exited:
                    var ranFor = context.Time.GetUtcNow() - work.RunningSince;
                    work.Stopped();
                    return new StartResult.Exited(service.Name, exited.Container, ranFor);
                case ServiceStep.Completed completed:
                    Say(new ServiceStatus(service.Name, AppState.Stopped, "", completed.Container.Id, 0) { HasStarted = true });
                    break;
                case ServiceStep.Runs step:
                    if (step.JustStarted) context.Logger.AppStarted(app, step.Container.Id);
                    if (once) Say(new ServiceStatus(service.Name, AppState.Starting, "It has not ended yet.", step.Container.Id, null));
                    else
                    {
                        Say(SeenToRun(service, work, step.Container));
                        if (await AskAsync(work, spec, step.Container, cancellationToken)) Say(SeenToRun(service, work, step.Container));
                    }
                    if (work.Check is not null && !once && (nextLook is null || work.Health.NextCheck < nextLook)) nextLook = work.Health.NextCheck;
                    break;
            }
        }
        return Summary([.. plan.Services.Select(s => states[s.Name])], nextLook, WhatItDoesNotReach(plan));

        void Say(ServiceStatus seen)
        {
            states[seen.Name] = seen with
            {
                Reason = seen.State == AppState.Unhealthy ? AppReason.Unhealthy : AppReason.None,
                HasCheck = Of(seen.Name).Check is not null,
                Pull = Of(seen.Name).Pull,
            };
            context.Board.Set(app, states[seen.Name]);
        }
    }

    /// <summary>All images are here. Nothing else is touched: what runs goes on.</summary>
    private async Task<StartResult?> FetchAsync(AppPlan plan, Dictionary<string, ObservedContainer?> found, CancellationToken cancellationToken)
    {
        context.Board.Plan(app, plan.Services.Select(s => (s.Name, found[s.Name] is { IsRunning: true })));
        context.Board.At(app, AppPhase.FetchImages);
        var runs = found.Values.Any(c => c is { IsRunning: true });
        foreach (var service in plan.Services)
        {
            // What runs already needs no image. With volumes the whole spec is known only when they are open.
            if (found[service.Name]?.SpecHash == service.Spec.Hash) continue;
            if (await Of(service.Name).FetchAsync(found[service.Name], service.Spec, runs, cancellationToken) is { } failed)
                return new StartResult.EngineFault(service.Name, failed.Fault, failed.Old);
        }
        return null;
    }

    /// <summary>What else has to be done once for a plan: containers of services that it does not have are gone.</summary>
    private async Task<StartResult?> PrepareAsync(AppPlan plan, Dictionary<string, ObservedContainer?> found, CancellationToken cancellationToken)
    {
        var digests = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var service in plan.Services)
        {
            var image = await context.Runtime.ImageAsync(service.Spec.Image, cancellationToken);
            if (image.Value?.Digest is { } digest) digests[service.Name] = digest;
            var check = ServiceProbe.CheckOf(plan, service, image);
            if (check.Fault is { } fault) return new StartResult.EngineFault(service.Name, fault, found[service.Name]);
            var work = Of(service.Name);
            (work.Check, work.StopGrace) = (check.Value, service.StopGrace);
        }
        context.Fetched(app, digests.ToImmutable());
        var names = plan.Services.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        var all = await context.Runtime.ListAsync(CancellationToken.None);
        if (all.Fault is { } away) return new StartResult.EngineFault(plan.Services[0].Name, away, null);
        foreach (var old in all.Value.Where(c => c.App == app && !names.Contains(c.Service)))
        {
            var fault = await context.Runtime.StopAsync(old.Id, Of(old.Service).StopGrace, CancellationToken.None)
                ?? await context.Runtime.RemoveAsync(old.Id, CancellationToken.None);
            if (fault is not null) return new StartResult.EngineFault(old.Service, fault, null);
            _services.Remove(old.Service);
        }
        (_prepared, Order) = (plan.Hash, [.. plan.Services.Select(s => s.Name)]);
        return null;
    }

    /// <returns>The volumes, or why it is not known which image one of them follows: without that word it would become a volume of data.</returns>
    private async Task<(ImmutableArray<WantedVolume> Wanted, StartResult? Unknown)> WantedVolumesAsync(AppPlan plan, CancellationToken cancellationToken)
    {
        var wanted = ImmutableArray.CreateBuilder<WantedVolume>();
        foreach (var (name, volume) in plan.Volumes)
        {
            var first = plan.FirstMountOf(name);
            string? source = null;
            if (volume.Kind == VolumeKind.FromImage && first is var (service, _))
            {
                var image = await context.Runtime.ImageAsync(service.Spec.Image, cancellationToken);
                if (image.Fault is { } fault) return ([], new StartResult.EngineFault(service.Name, fault, null));
                source = image.Value!.Id;
            }
            wanted.Add(new WantedVolume(name, volume.SizeLimitBytes, source, first is null ? null : token => ContentAsync(first.Value, token))
            {
                CanBeMadeAnew = volume.Kind is VolumeKind.Cache or VolumeKind.FromImage,
            });
        }
        return (wanted.ToImmutable(), null);
    }

    private async Task<Stream?> ContentAsync((ServicePlan Service, MountDefinition Mount) first, CancellationToken cancellationToken)
    {
        var content = await context.Runtime.ReadImageFolderAsync(first.Service.Spec.Image, first.Mount.Path, cancellationToken);
        return content.Fault is { } fault ? throw new IOException(fault.Sentence) : content.Value;
    }

    /// <returns>Whether it was asked; it is not where no check is due.</returns>
    private async Task<bool> AskAsync(ServiceWork work, ContainerSpec spec, ObservedContainer container, CancellationToken cancellationToken)
    {
        var now = context.Time.GetUtcNow();
        if (work.Check is not { } check || now < work.Health.NextCheck) return false;
        work.Health.Record(await context.Probe.RunAsync(check, spec, container, cancellationToken), check, now);
        return true;
    }

    private static ServiceStatus SeenToRun(ServicePlan service, ServiceWork work, ObservedContainer container)
    {
        var state = work.Check is null ? AppState.Running : work.Health.State switch
        {
            HealthState.Healthy => AppState.Running,
            HealthState.Unhealthy => AppState.Unhealthy,
            _ => AppState.Starting,
        };
        return new ServiceStatus(service.Name, state, work.Check is null ? "" : work.Health.Reason, container.Id, null) { HasStarted = true };
    }

    /// <param name="waiting">The services before it that wait themselves.</param>
    /// <returns>What the service waits for; null when it may start.</returns>
    private static string? WhatItWaitsFor(ServicePlan service, Dictionary<string, ServiceStatus> states, HashSet<string> waiting)
    {
        foreach (var (name, condition) in service.Manifest.DependsOn)
        {
            var reached = states[name] switch
            {
                { State: AppState.Stopped, ExitCode: 0 } => true,
                { State: AppState.Running } => condition != DependencyCondition.Completed,
                { State: AppState.Unhealthy } => condition == DependencyCondition.Started,
                { State: AppState.Starting } => condition == DependencyCondition.Started && !waiting.Contains(name),
                _ => false,
            };
            if (!reached) return string.Create(CultureInfo.InvariantCulture, $"It waits for '{name}' to be {condition.ToString().ToLowerInvariant()}.");
        }
        return null;
    }

    /// <summary>The app is what the worst of its services is.</summary>
    /// <param name="running">What there is to say of an app that runs.</param>
    private static StartResult.Reached Summary(ImmutableArray<ServiceStatus> services, DateTimeOffset? nextLook, string running)
    {
        if (services.FirstOrDefault(s => s.State == AppState.Unhealthy) is { } unhealthy)
            return new(AppState.Unhealthy, AppReason.Unhealthy, Told(services, unhealthy), services, nextLook);
        return services.FirstOrDefault(s => s.State == AppState.Starting) is { } starting
            ? new(AppState.Starting, AppReason.None, Told(services, starting), services, nextLook)
            : new(AppState.Running, AppReason.None, running, services, nextLook);
    }

    /// <returns>That the network is not as the manifest has it: closed where something is allowed, or open to everything. Empty where all is well.</returns>
    private string WhatItDoesNotReach(AppPlan plan) =>
        context.Runtime.NetworkFault is { } fault && (fault.Kind == ContainerFaultKind.FirewallMissing || plan.Services.Any(s => s.Spec.Rights.Any))
            ? $"{fault.Sentence} {fault.NextStep}" : "";

    private static string Told(ImmutableArray<ServiceStatus> services, ServiceStatus one) => services.Length == 1 ? one.Detail : $"{one.Name}: {one.Detail}";
}
