using Microsoft.Extensions.DependencyInjection.Extensions;
using Piccolo.Core.Health;

namespace Piccolo.Api.Health;

internal static class HealthServiceCollectionExtensions
{
    /// <summary>The tracker and the loop that reports for those who do not.</summary>
    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        services.TryAddSingleton<HealthTracker>();
        services.AddSingleton<IHealthReporter, IngressHealth>();
        services.AddSingleton<IHealthReporter, TunnelHealth>();
        services.AddSingleton<IHealthReporter, ClockHealth>();
        services.AddSingleton<IHealthReporter, VolumesHealth>();
        services.TryAddSingleton<HealthPace>();
        services.AddSingleton<HealthLoop>().AddSingleton<IHostedService>(s => s.GetRequiredService<HealthLoop>());
        return services;
    }
}
