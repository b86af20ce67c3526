namespace Piccolo.Core.Apps.Following;

/// <summary>What a command to an app is to come to.</summary>
/// <param name="Revision">The owner's word: the app's change, or its removal.</param>
public abstract record AppAim(string App, DateTimeOffset Revision)
{
    /// <param name="Before">The app as it was; null where nothing has changed, or there was none.</param>
    /// <param name="IsNew">Whether there was none.</param>
    public sealed record Install(AppRecord Record, AppRecord? Before, bool IsNew) : AppAim(Record.Name, Record.UpdatedAt);

    public sealed record Start(AppRecord Record) : AppAim(Record.Name, Record.UpdatedAt);

    public sealed record Stop(AppRecord Record) : AppAim(Record.Name, Record.UpdatedAt);

    public sealed record Remove(AppRemoval Removal) : AppAim(Removal.Name, Removal.RemovedAt);
}

/// <summary>Whether a command has come to its aim.</summary>
internal abstract record AimOutcome
{
    public sealed record GoesOn : AimOutcome;

    public sealed record Reached : AimOutcome;

    /// <summary>Somebody has to do something first, or it was tried often enough. The appliance goes on trying all the same.</summary>
    public sealed record Failed(AppReason Reason, string Detail) : AimOutcome;

    /// <summary>It is not wanted any more, or not here.</summary>
    public sealed record Lost(string Code, string Detail) : AimOutcome;
}

/// <summary>Judges from what is wanted and what was seen. Pure.</summary>
internal static class AimJudge
{
    /// <summary>So many failed attempts in a row are enough to call a command failed whose reason may pass by itself.</summary>
    public const int Attempts = 5;

    /// <summary>A busy port is waited for, and then the app gets another.</summary>
    public const int AttemptsAtAPort = 10;

    private static readonly AimOutcome GoesOn = new AimOutcome.GoesOn();
    private static readonly AimOutcome Reached = new AimOutcome.Reached();

    /// <param name="app">As it is wanted now; null = it is not installed.</param>
    /// <param name="removal">Of the app, as it waits now; null = none does.</param>
    /// <param name="status">As last seen; null where nothing was.</param>
    public static AimOutcome Judge(AppAim aim, AppRecord? app, AppRemoval? removal, AppStatus? status) => aim switch
    {
        AppAim.Remove when removal is null => Reached,
        AppAim.Remove when removal.RemovedAt != aim.Revision => new AimOutcome.Lost("superseded", "The app was removed once more meanwhile."),
        AppAim.Remove => FailureOf(aim, status) ?? GoesOn,
        _ when app is null => new AimOutcome.Lost("superseded", "The app was removed meanwhile."),
        AppAim.Install install when app.ManifestText != install.Record.ManifestText => Changed,
        _ when app.DesiredState != DesiredOf(aim) => Changed,
        _ => FailureOf(aim, status) ?? Judge(app.DesiredState, IsAbout(aim, status) ? status : null),
    };

    private static AimOutcome Judge(DesiredState wanted, AppStatus? status) => (wanted, status?.State) switch
    {
        (DesiredState.Running, AppState.Running) => Reached,
        (DesiredState.Running, AppState.Unhealthy) => new AimOutcome.Failed(AppReason.Unhealthy, status!.Detail),
        (DesiredState.Running, AppState.Stopped) when status!.Reason == AppReason.Follower =>
            new AimOutcome.Lost("follower", "Another node leads the app now, and runs it."),
        (DesiredState.Running, AppState.Stopped) when status!.Reason == AppReason.SecretMissing =>
            new AimOutcome.Failed(AppReason.SecretMissing, "A secret that the manifest names is not in the store."),
        (DesiredState.Stopped, AppState.Stopped) when status!.Reason == AppReason.Owner => Reached,
        _ => GoesOn,
    };

    /// <summary>What waiting does not mend, or has not mended often enough.</summary>
    private static AimOutcome.Failed? FailureOf(AppAim aim, AppStatus? status) =>
        IsAbout(aim, status) && status!.State == AppState.Failed
        && (status.Failures >= (status.Reason == AppReason.PortInUse ? AttemptsAtAPort : Attempts) || IsForGood(status.Reason))
            ? new AimOutcome.Failed(status.Reason, status.Detail) : null;

    private static bool IsForGood(AppReason reason) => reason is AppReason.ImageNotFound or AppReason.SignInNeeded or AppReason.NoPlatform
        or AppReason.NameTaken or AppReason.NoEngine or AppReason.SecretMissing;

    private static bool IsAbout(AppAim aim, AppStatus? status) => status is { IsSettled: true } && status.Revision >= aim.Revision;

    private static AimOutcome.Lost Changed => new("superseded", "A later command wants something else of the app.");

    private static DesiredState DesiredOf(AppAim aim) => aim switch
    {
        AppAim.Install install => install.Record.DesiredState,
        AppAim.Stop => DesiredState.Stopped,
        _ => DesiredState.Running,
    };
}
