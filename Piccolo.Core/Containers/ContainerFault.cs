namespace Piccolo.Core.Containers;

/// <summary>What kind of thing the engine could not do.</summary>
public enum ContainerFaultKind
{
    /// <summary>None is configured.</summary>
    NoEngine,
    EngineUnreachable,

    /// <summary>The image is neither here nor in its registry.</summary>
    ImageNotFound,

    /// <summary>The image's registry gives it to nobody without a sign-in, or has no image of that name and does not say so.</summary>
    SignInNeeded,

    /// <summary>The image's registry has it for other kinds of processors only.</summary>
    NoPlatform,

    /// <summary>The engine's disk is full.</summary>
    NoSpace,

    /// <summary>The image's registry could not be reached.</summary>
    RegistryUnreachable,

    /// <summary>The image's registry has served enough for a while.</summary>
    RateLimited,
    PortInUse,

    /// <summary>The container no longer exists.</summary>
    NotFound,

    /// <summary>A container of that name or id exists and is not ours. It is never touched.</summary>
    Foreign,

    /// <summary>The firewall's table is not there: apps would reach everything.</summary>
    FirewallMissing,

    /// <summary>The firewall can be neither read nor written: what an app was granted may not be so.</summary>
    FirewallUnknown,

    /// <summary>Anything else; the log has the engine's words.</summary>
    Refused,
}

/// <summary>Why the engine did not do what it was asked, in words for the owner; the engine's own words are in the log only.</summary>
/// <param name="Sentence">One plain sentence.</param>
/// <param name="NextStep">What the owner can do about it.</param>
public sealed record ContainerFault(ContainerFaultKind Kind, string Sentence, string NextStep)
{
    /// <summary>When the image's registry wants to be asked again; null where it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the engine as a whole is away, so that asking for other containers is of no use either.</summary>
    public bool IsEngine => Kind is ContainerFaultKind.NoEngine or ContainerFaultKind.EngineUnreachable;
}

/// <summary>A value from the engine, or why there is none.</summary>
public readonly record struct ContainerResult<T>(T? Value, ContainerFault? Fault)
{
    public static implicit operator ContainerResult<T>(ContainerFault fault) => new(default, fault);

    public static implicit operator ContainerResult<T>(T value) => new(value, null);
}
