using Microsoft.Extensions.DependencyInjection.Extensions;
using Piccolo.Core.Health;

namespace Piccolo.Api.Health;

internal static class HealthServiceCollectionExtensions
{
    /// <summary>The tracker, the loop that reports for components which do not, and the watchdog of the service manager.</summary>
    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        services.TryAddSingleton<HealthTracker>();
        services.AddSingleton<IHealthReporter, IngressHealth>();
        services.AddSingleton<IHealthReporter, TunnelHealth>();
        services.AddSingleton<IHealthReporter, ClockHealth>();
        services.AddSingleton<IHealthReporter, VolumesHealth>();
        services.TryAddSingleton<HealthPace>();
        services.AddSingleton<HealthLoop>().AddSingleton<IHostedService>(s => s.GetRequiredService<HealthLoop>());
        return services.AddSingleton<SelfCheck>().AddHostedService<Watchdog>();
    }
}
