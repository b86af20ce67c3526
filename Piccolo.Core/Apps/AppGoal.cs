using Piccolo.Core.Containers;
using Piccolo.Core.Leadership;

namespace Piccolo.Core.Apps;

/// <summary>What one app's container shall be. Goals with the same <see cref="Key"/> are the same goal.</summary>
internal abstract record AppGoal(string Key)
{
    /// <param name="Wanted">When the owner last said so: saying it again makes a new goal, with no memory of failures.</param>
    /// <param name="UpdateAsked">Since when a newer image is to be looked for; null = it is not.</param>
    public sealed record Run(ContainerSpec Spec, DateTimeOffset Wanted, DateTimeOffset? UpdateAsked) : AppGoal($"run {Spec.Hash} {Wanted.UtcTicks}");

    public sealed record Stop(AppReason Reason) : AppGoal($"stop {Reason}");

    /// <summary>The app is not installed.</summary>
    /// <param name="WithVolumes">The owner removed it. Without that word, as after an older store was put back, its volumes stay.</param>
    public sealed record Remove(bool WithVolumes) : AppGoal($"remove {WithVolumes}");
}

/// <summary>The goals of all apps, from state alone. Pure.</summary>
internal static class AppGoals
{
    /// <param name="apps">Null while locked: nothing may run then, whatever is installed.</param>
    /// <param name="unreadable">Installed apps whose records a newer release wrote: they do not run, and their containers stay for that release.</param>
    /// <param name="removals">The apps that the owner removed and of which something is left; some may be installed again, which waits.</param>
    /// <param name="containers">The apps that have a container, installed or not.</param>
    public static Dictionary<string, AppGoal> Decide(
        IReadOnlyList<AppRecord>? apps, IEnumerable<string> unreadable, IEnumerable<string> removals, IEnumerable<string> containers,
        Func<string, Role> roleOf, InstanceId instance)
    {
        var goals = new Dictionary<string, AppGoal>(StringComparer.Ordinal);
        foreach (var app in containers) goals[app] = apps is null ? new AppGoal.Stop(AppReason.Locked) : new AppGoal.Remove(WithVolumes: false);
        foreach (var app in unreadable.Where(goals.ContainsKey)) goals[app] = new AppGoal.Stop(AppReason.Refused);
        foreach (var app in apps ?? []) goals[app.Name] = Decide(app, roleOf(app.Name), instance);
        foreach (var app in removals) goals[app] = new AppGoal.Remove(WithVolumes: true);
        return goals;
    }

    private static AppGoal Decide(AppRecord app, Role role, InstanceId instance) =>
        app.DesiredState == DesiredState.Stopped ? new AppGoal.Stop(AppReason.Owner)
        : role.IsLeader ? new AppGoal.Run(ToSpec(app, instance), app.UpdatedAt, app.UpdateAsked)
        : new AppGoal.Stop(role.Kind == LeadershipRole.Unknown ? AppReason.RoleUnknown : AppReason.Follower);

    private static ContainerSpec ToSpec(AppRecord app, InstanceId instance) => new(
        instance, app.Name, ImageReference.Parse(app.Manifest.Image), app.Manifest.Environment,
        [.. app.Listeners.Select(l => new PortPublication(l.Definition.GuestPort, l.GuardPort))], app.Manifest.MemoryBytes, app.Manifest.NanoCpus)
    { ImageId = app.ImageId };
}
