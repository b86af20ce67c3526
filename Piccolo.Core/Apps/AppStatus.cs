using System.Collections.Immutable;

namespace Piccolo.Core.Apps;

/// <summary>What an app was last seen to be.</summary>
public enum AppState
{
    /// <summary>Installed; nothing has been done or seen yet.</summary>
    Created,
    Pulling,
    Starting,

    /// <summary>The engine says that its containers run, and those with a health check answered it.</summary>
    Running,

    /// <summary>Its containers run, and a health check fails.</summary>
    Unhealthy,
    Stopped,
    Error,
}

/// <summary>Why an app is stopped or in error.</summary>
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

/// <summary>An app's observed state. Immutable.</summary>
/// <param name="Detail">Plain sentences for the owner; empty when all is said.</param>
/// <param name="Since">When state and reason became what they are.</param>
/// <param name="ContainerId">Of the main service.</param>
/// <param name="NextAttempt">When the next automatic retry is due; null when nothing is due.</param>
public sealed record AppStatus(AppState State, AppReason Reason, string Detail, DateTimeOffset Since, string? ContainerId, DateTimeOffset? NextAttempt)
{
    /// <summary>In the order of their start; empty where none was looked at.</summary>
    public ImmutableArray<ServiceStatus> Services { get; init; } = [];
}

/// <summary>A service's observed state.</summary>
/// <param name="Detail">Plain sentences for the owner; empty when all is said.</param>
/// <param name="ExitCode">Of the last run; null while it runs and before the first.</param>
public sealed record ServiceStatus(string Name, AppState State, string Detail, string? ContainerId, int? ExitCode);
