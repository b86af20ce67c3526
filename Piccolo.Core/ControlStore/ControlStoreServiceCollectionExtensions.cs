using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.ControlStore.Upkeep;

namespace Piccolo.Core.ControlStore;

public static class ControlStoreServiceCollectionExtensions
{
    public static IServiceCollection AddControlStore(this IServiceCollection services)
    {
        services.AddOptions<ControlStoreOptions>().BindConfiguration(ControlStoreOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<SealedStore>().AddSingleton<StoreSnapshots>()
            .AddHostedService<StoreUpkeepLoop>().AddHostedService<StoreRecoveryLoop>();
    }
}
