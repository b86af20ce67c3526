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
        services.AddOptions<TunnelOptions>().BindConfiguration(TunnelOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<TunnelOptions>>(provider => new TunnelOptionsValidator(provider.GetService<IHostEnvironment>()));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new RelayTunnel(
            provider.GetRequiredService<IOptions<TunnelOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RelayTunnel>>(),
            Random.Shared.NextDouble,
            provider.GetService<StatePaths>()?.TunnelWeight));
        services.TryAddSingleton<ITunnelStreamSource>(provider => provider.GetRequiredService<RelayTunnel>());
        services.AddNetwork().TryAddSingleton<INetworkView, NetworkView>();
        services.AddHostedService<RelayTunnelLoop>();
        services.AddHostedService<TunnelWaker>();
        return services;
    }
}

/// <summary>Runs the tunnel as long as the host runs.</summary>
internal sealed class RelayTunnelLoop(RelayTunnel tunnel) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => tunnel.RunAsync(stoppingToken);
}
