using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel;

public static class TunnelServiceCollectionExtensions
{
    /// <summary>Adds the tunnel and its loop.</summary>
    public static IServiceCollection AddTunnel(this IServiceCollection services)
    {
        services.AddOptions<NexusOptions>().BindConfiguration(NexusOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<NexusOptions>>(provider => new NexusOptionsValidator(provider.GetService<IHostEnvironment>()));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new NexusTunnel(
            provider.GetRequiredService<IOptions<NexusOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NexusTunnel>>(),
            Random.Shared.NextDouble,
            provider.GetService<StatePaths>()?.TunnelWeight));
        services.TryAddSingleton<ITunnelStreamSource>(provider => provider.GetRequiredService<NexusTunnel>());
        services.AddNetwork().TryAddSingleton<INetworkView, NetworkView>();
        services.AddHostedService<NexusTunnelLoop>();
        services.AddHostedService<TunnelWaker>();
        return services;
    }
}
