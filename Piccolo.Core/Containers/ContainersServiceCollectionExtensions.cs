using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Core.Containers.Podman;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Containers;

/// <summary>Registers the container engine.</summary>
public static class ContainersServiceCollectionExtensions
{
    /// <summary>Needs <see cref="StatePaths"/>, health and logging; the host binds <see cref="ContainerOptions.Section"/>.</summary>
    public static IServiceCollection AddContainers(this IServiceCollection services)
    {
        services.AddOptions<ContainerOptions>().BindConfiguration(ContainerOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider =>
        {
            var id = InstanceId.ReadOrCreate(provider.GetRequiredService<StatePaths>(), out var replaced);
            if (replaced) provider.GetRequiredService<ILogger<InstanceId>>().InstanceIdReplaced();
            return id;
        });
        services.TryAddSingleton<INftables, Nftables>();
        services.TryAddSingleton(provider => new AppFirewall(
            provider.GetRequiredService<INftables>(), HostSurroundings.Now, provider.GetRequiredService<InstanceId>(),
            provider.GetRequiredService<ILogger<AppFirewall>>()));
        services.TryAddSingleton<PodmanRuntime>();
        services.TryAddSingleton<IContainerRuntime>(provider => provider.GetRequiredService<PodmanRuntime>());
        services.TryAddSingleton<IContainerNetworks, PodmanNetworks>();
        services.AddHostedService(provider => new ContainerEventLoop(provider.GetRequiredService<PodmanRuntime>(), provider.GetRequiredService<TimeProvider>(),
#pragma warning disable CA5394 // jitter, not a secret
            Random.Shared.NextDouble, provider.GetRequiredService<ILogger<ContainerEventLoop>>()));
#pragma warning restore CA5394
        services.AddHostedService<NetworkRightsLoop>();
        return services;
    }
}
