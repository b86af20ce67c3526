using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Jobs;

namespace Piccolo.Core.Apps.Following;

/// <summary>The parts of what a command takes, and how far each was seen to be. Pure.</summary>
internal static class AimSteps
{
    public const string Fetch = "Fetch images";

    /// <param name="app">Null = it is not installed.</param>
    /// <param name="status">As last seen; null where nothing was, or only what came of an earlier command.</param>
    /// <param name="known">The steps of the moment before.</param>
    /// <returns><paramref name="known"/> itself where nothing has changed.</returns>
    public static ImmutableArray<JobStep> Of(AppAim aim, AppRecord? app, AppStatus? status, ImmutableArray<JobStep> known, DateTimeOffset now)
    {
        var wanted = Wanted(aim, app, status);
        ImmutableArray<JobStep> steps =
        [
            .. wanted.Select(step => known.FirstOrDefault(k => k.Name == step.Name) is { } before && before.State == step.State
                ? before : new JobStep(step.Name, step.State, now)),
        ];
        return steps.SequenceEqual(known) ? known : steps;
    }

    /// <summary>All is done: the last moment of a job that has come to its aim.</summary>
    public static ImmutableArray<JobStep> Done(ImmutableArray<JobStep> known, DateTimeOffset now) =>
        [.. known.Select(s => s.State == StepState.Done ? s : s with { State = StepState.Done, Since = now })];

    private static IEnumerable<(string Name, StepState State)> Wanted(AppAim aim, AppRecord? app, AppStatus? status)
    {
        if (aim is AppAim.Remove remove)
        {
            yield return ("Stop services", StateOf(AppPhase.StopServices, status));
            yield return ("Remove containers", StateOf(AppPhase.RemoveContainers, status));
            yield return remove.Removal.IsPurge
                ? ("Delete volumes", StateOf(AppPhase.DeleteVolumes, status))
                : ("Close volumes", StateOf(AppPhase.CloseVolumes, status));
        }
        else if (app is { DesiredState: DesiredState.Stopped })
        {
            yield return ("Stop services", StateOf(AppPhase.StopServices, status));
            yield return ("Close volumes", StateOf(AppPhase.CloseVolumes, status));
        }
        else if (app is not null)
        {
            yield return (Fetch, StateOf(AppPhase.FetchImages, status));
            if (app.Manifest.Volumes.Count > 0) yield return ("Open volumes", StateOf(AppPhase.OpenVolumes, status));
            foreach (var step in Services(app.Manifest, status)) yield return step;
        }
    }

    /// <summary>In the order of their start, once that was seen.</summary>
    private static IEnumerable<(string Name, StepState State)> Services(AppManifest manifest, AppStatus? status)
    {
        var seen = (status?.Services ?? []).ToDictionary(s => s.Name, StringComparer.Ordinal);
        var order = seen.Keys.Select((name, i) => (name, i)).ToDictionary(s => s.name, s => s.i, StringComparer.Ordinal);
        foreach (var service in manifest.Services.OrderBy(s => order.GetValueOrDefault(s.Name, int.MaxValue)))
        {
            var name = manifest.Services.Length == 1 ? "app" : service.Name;
            var one = status is { Phase: AppPhase.StartServices } ? seen.GetValueOrDefault(service.Name) : null;
            yield return ((service.Run == RunMode.Once ? "Run " : "Start ") + name, one switch
            {
                null => StepState.Waiting,
                { State: AppState.Failed } => StepState.Failed,
                { HasStarted: true } => StepState.Done,
                { State: AppState.Starting, IsWaiting: false } => StepState.Running,
                _ => StepState.Waiting,
            });
            if (service.Run == RunMode.Once || !(service.HealthCheck is not null || seen.GetValueOrDefault(service.Name) is { HasCheck: true })) continue;
            yield return ("Wait for " + name, one switch
            {
                { State: AppState.Running } => StepState.Done,
                { State: AppState.Unhealthy } => StepState.Failed,
                { State: AppState.Starting, HasStarted: true } => StepState.Running,
                _ => StepState.Waiting,
            });
        }
    }

    private static StepState StateOf(AppPhase phase, AppStatus? status) => status is null || status.Phase < phase ? StepState.Waiting
        : status.Phase > phase ? StepState.Done
        : status is { State: AppState.Failed, IsSettled: true } ? StepState.Failed : StepState.Running;
}
