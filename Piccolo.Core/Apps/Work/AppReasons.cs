using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Work;

/// <summary>What the owner is told of the engine's faults.</summary>
internal static class AppReasons
{
    public static AppReason Of(ContainerFaultKind kind) => kind switch
    {
        ContainerFaultKind.NoEngine => AppReason.NoEngine,
        ContainerFaultKind.EngineUnreachable => AppReason.EngineUnreachable,
        ContainerFaultKind.ImageNotFound => AppReason.ImageNotFound,
        ContainerFaultKind.SignInNeeded => AppReason.SignInNeeded,
        ContainerFaultKind.NoPlatform => AppReason.NoPlatform,
        ContainerFaultKind.NoSpace => AppReason.NoSpace,
        ContainerFaultKind.RegistryUnreachable => AppReason.RegistryUnreachable,
        ContainerFaultKind.RateLimited => AppReason.RateLimited,
        ContainerFaultKind.PortInUse => AppReason.PortInUse,
        ContainerFaultKind.Foreign => AppReason.NameTaken,
        _ => AppReason.Refused,
    };
}
