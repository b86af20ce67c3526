using System.Collections.Immutable;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps;

/// <summary>What an app, or one of its services, was last seen to be.</summary>
public enum AppState
{
    /// <summary>Nothing of it runs yet: its images are fetched, or nothing has been done so far.</summary>
    Installing,

    /// <summary>Its containers are made and started, or one has not answered its health check yet.</summary>
    Starting,

    /// <summary>The engine says that its containers run, and those with a health check answered it.</summary>
    Running,

    /// <summary>Its containers run, and a health check fails.</summary>
    Unhealthy,
    Stopped,

    /// <summary>It runs as it did, while images of another revision, or newer ones, are fetched.</summary>
    Updating,

    /// <summary>Something failed. It is tried again.</summary>
    Failed,

    /// <summary>The owner removed it, and something of it is left.</summary>
    Removing,
}

/// <summary>Why an app or a service is stopped or failed.</summary>
public enum AppReason
{
    None,

    /// <summary>The owner stopped it.</summary>
    Owner,

    /// <summary>Another node leads it.</summary>
    Follower,

    /// <summary>Which node leads it is not known yet.</summary>
    RoleUnknown,
    Locked,

    /// <summary>Its volumes are being copied into an export; it goes on by itself.</summary>
    Export,

    /// <summary>The appliance is ending.</summary>
    Shutdown,

    /// <summary>The app exited.</summary>
    Exited,
    ImageNotFound,

    /// <summary>The image's registry wants a sign-in, or has no image of that name.</summary>
    SignInNeeded,

    /// <summary>The image does not exist for this device's processor.</summary>
    NoPlatform,

    /// <summary>The disk has no space left for images and containers.</summary>
    NoSpace,
    RegistryUnreachable,
    RateLimited,
    EngineUnreachable,
    NoEngine,
    PortInUse,

    /// <summary>A container that is not ours has its name.</summary>
    NameTaken,

    /// <summary>The engine refused; the log has its words.</summary>
    Refused,

    /// <summary>Its health check fails.</summary>
    Unhealthy,

    /// <summary>A volume of the app cannot be used.</summary>
    VolumeUnavailable,

    /// <summary>The disk or a volume is full.</summary>
    VolumeFull,

    /// <summary>A secret that the manifest names is not in the store.</summary>
    SecretMissing,
}

/// <summary>How far the work on an app has come, in the order in which it goes on.</summary>
internal enum AppPhase
{
    None,
    FetchImages,
    OpenVolumes,
    StartServices,
    StopServices,
    RemoveContainers,
    CloseVolumes,
    DeleteVolumes,
}

/// <summary>An app's observed state. Immutable.</summary>
/// <param name="Detail">Plain sentences for the owner; empty when all is said.</param>
/// <param name="Since">When state and reason became what they are.</param>
/// <param name="ContainerId">Of the main service.</param>
/// <param name="NextAttempt">When the next automatic retry is due; null when nothing is due.</param>
public sealed record AppStatus(AppState State, AppReason Reason, string Detail, DateTimeOffset Since, string? ContainerId, DateTimeOffset? NextAttempt)
{
    /// <summary>In the order of their start; empty where none was looked at.</summary>
    public ImmutableArray<ServiceStatus> Services { get; init; } = [];

    /// <summary>Whether its containers were last seen to run: also while images of another revision are fetched.</summary>
    public bool IsServing => State is AppState.Running or AppState.Updating;

    /// <summary>The owner's word that is worked on; the default value before the first.</summary>
    internal DateTimeOffset Revision { get; init; }

    /// <summary>How far the work on <see cref="Revision"/> has come.</summary>
    internal AppPhase Phase { get; init; }

    /// <summary>Whether the state is what came of <see cref="Revision"/>; else it is still that of an earlier one.</summary>
    internal bool IsSettled { get; init; }

    /// <summary>Failed attempts in a row.</summary>
    internal int Failures { get; init; }
}

/// <summary>A service's observed state.</summary>
/// <param name="Detail">Plain sentences for the owner; empty when all is said.</param>
/// <param name="ExitCode">Of the last run; null while it runs and before the first.</param>
public sealed record ServiceStatus(string Name, AppState State, string Detail, string? ContainerId, int? ExitCode)
{
    public AppReason Reason { get; init; }

    /// <summary>When state and reason became what they are.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>When the next automatic retry is due; null when nothing is due.</summary>
    public DateTimeOffset? NextAttempt { get; init; }

    /// <summary>How much of its image is here; null where nothing of it had to be fetched.</summary>
    internal PullProgress? Pull { get; init; }

    /// <summary>Whether its container was seen to run in this revision, or has done its work.</summary>
    internal bool HasStarted { get; init; }

    /// <summary>Whether it is held back until another service is far enough.</summary>
    internal bool IsWaiting { get; init; }

    /// <summary>Whether somebody asks it for its health.</summary>
    internal bool HasCheck { get; init; }
}
