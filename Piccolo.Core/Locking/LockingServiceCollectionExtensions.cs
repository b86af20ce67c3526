using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Piccolo.Core.Locking;

public static class LockingServiceCollectionExtensions
{
    /// <summary>Unlocking and locking, and the watch over what a lock ends.</summary>
    public static IServiceCollection AddLocking(this IServiceCollection services)
    {
        services.AddOptions<LockOptions>().BindConfiguration(LockOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<UnlockMetrics>().AddSingleton<ApplianceLock>().AddSingleton<OwnerPassword>().AddSingleton<LockSteps>();
        return services.AddSingleton<LockWatch>().AddSingleton<IHostedService>(s => s.GetRequiredService<LockWatch>());
    }
}
