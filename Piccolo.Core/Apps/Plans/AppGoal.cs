using Piccolo.Core.Leadership;

namespace Piccolo.Core.Apps.Plans;

/// <summary>What one app's containers shall be. Goals with the same <see cref="Key"/> are the same goal.</summary>
internal abstract record AppGoal(string Key)
{
    /// <summary>The owner's word that it comes from; null where it comes from none.</summary>
    public DateTimeOffset? Revision { get; init; }

    /// <param name="Wanted">When the owner last said so: saying it again makes a new goal, with no memory of failures.</param>
    /// <param name="UpdateAsked">Since when newer images are to be looked for; null = they are not.</param>
    public sealed record Run(AppPlan Plan, DateTimeOffset Wanted, DateTimeOffset? UpdateAsked) : AppGoal($"run {Plan.Hash} {Wanted.UtcTicks}");

    public sealed record Stop(AppReason Reason) : AppGoal($"stop {Reason}");

    /// <summary>It stands still for a while, whatever the owner wants; then it is what the owner wants.</summary>
    public sealed record Rest(AppHold Hold) : AppGoal($"rest {Hold.Number}");

    /// <summary>The app is not installed.</summary>
    /// <param name="Removal">The owner removed it. Without that word, as after an older store was put back, what it has stays.</param>
    public sealed record Remove(AppRemoval? Removal) : AppGoal($"remove {Removal?.RemovedAt.UtcTicks} {Removal?.IsPurge}");
}

/// <summary>The goals of all apps, from state alone. Pure.</summary>
internal static class AppGoals
{
    /// <param name="apps">Null while locked: nothing may run then, whatever is installed.</param>
    /// <param name="unreadable">Installed apps whose records a newer release wrote: they do not run, and their containers stay for that release.</param>
    /// <param name="removals">The apps that the owner removed and of which something is left; some may be installed again, which waits.</param>
    /// <param name="present">The apps that have a container or an open volume, installed or not.</param>
    /// <param name="holds">Apps that are to stand still, installed or not.</param>
    public static Dictionary<string, AppGoal> Decide(
        IReadOnlyList<AppRecord>? apps, IEnumerable<string> unreadable, IEnumerable<AppRemoval> removals, IEnumerable<string> present,
        IEnumerable<AppHold> holds, Func<string, Role> roleOf, Func<AppRecord, AppPlan?> plan)
    {
        var goals = new Dictionary<string, AppGoal>(StringComparer.Ordinal);
        foreach (var app in present) goals[app] = apps is null ? new AppGoal.Stop(AppReason.Locked) : new AppGoal.Remove(null);
        foreach (var app in unreadable.Where(goals.ContainsKey)) goals[app] = new AppGoal.Stop(AppReason.Refused);
        foreach (var app in apps ?? []) goals[app.Name] = Decide(app, roleOf(app.Name), plan) with { Revision = app.UpdatedAt };
        foreach (var removal in removals) goals[removal.Name] = new AppGoal.Remove(removal) { Revision = removal.RemovedAt };
        foreach (var hold in apps is null ? [] : holds) goals[hold.App] = new AppGoal.Rest(hold);
        return goals;
    }

    private static AppGoal Decide(AppRecord app, Role role, Func<AppRecord, AppPlan?> plan) =>
        app.DesiredState == DesiredState.Stopped ? new AppGoal.Stop(AppReason.Owner)
        : !role.IsLeader ? new AppGoal.Stop(role.Kind == LeadershipRole.Unknown ? AppReason.RoleUnknown : AppReason.Follower)
        : plan(app) is { } toRun ? new AppGoal.Run(toRun, app.UpdatedAt, app.UpdateAsked)
        : new AppGoal.Stop(AppReason.SecretMissing);
}
