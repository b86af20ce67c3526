using Piccolo.Core.Volumes.Filling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Piccolo.Core.Volumes;

public static class VolumesServiceCollectionExtensions
{
    /// <summary>Needs StatePaths, the control store and logging. Before the apps: what a killed daemon left is cleaned up before they start.</summary>
    public static IServiceCollection AddVolumes(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<LeftServers>().AddSingleton<Gocryptfs>().AddSingleton<VolumeHost>();
        services.AddSingleton<VolumeRows>().AddSingleton<VolumeUsage>().AddSingleton<VolumeMounts>().AddSingleton<VolumeFiller>();
        services.AddSingleton<IAppVolumes, AppVolumes>();
        return services.AddHostedService<VolumeUpkeep>();
    }
}
