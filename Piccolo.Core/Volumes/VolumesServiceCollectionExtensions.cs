using Piccolo.Core.Volumes.Filling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes.Mounting;

namespace Piccolo.Core.Volumes;

public static class VolumesServiceCollectionExtensions
{
    /// <summary>Needs StatePaths, the control store and logging. Before the apps: what a killed daemon left is cleaned up before they start.</summary>
    public static IServiceCollection AddVolumes(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<VolumeOptions>().BindConfiguration(VolumeOptions.Section);
        services.AddSingleton<Gocryptfs>().AddSingleton<VolumeHost>();
        services.AddSingleton<IVolumeMounter>(provider =>
        {
            var (paths, time) = (provider.GetRequiredService<StatePaths>(), provider.GetRequiredService<TimeProvider>());
            return provider.GetRequiredService<IOptions<VolumeOptions>>().Value.Helper is { Length: > 0 } socket
                ? new HelperMounter(paths, new MountHelperClient(socket, time), time)
                : new OwnMounter(paths, new LeftServers(paths, time));
        });
        services.AddSingleton<VolumeRows>().AddSingleton<VolumeUsage>().AddSingleton<VolumeMounts>().AddSingleton<VolumeFiller>();
        services.AddSingleton<IAppVolumes, AppVolumes>();
        return services.AddHostedService<VolumeUpkeep>();
    }
}
