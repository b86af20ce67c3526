using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Piccolo.Core.Network;

public static class NetworkServiceCollectionExtensions
{
    /// <summary>One watch of the host's networks for everybody.</summary>
    public static IServiceCollection AddNetwork(this IServiceCollection services)
    {
        services.TryAddSingleton<NetworkWatch>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, NetworkWatch>(s => s.GetRequiredService<NetworkWatch>()));
        return services;
    }
}
