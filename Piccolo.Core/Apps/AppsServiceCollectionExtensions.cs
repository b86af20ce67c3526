using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Piccolo.Core.Apps.Following;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Exports;

namespace Piccolo.Core.Apps;

/// <summary>Registers apps: the catalog, their observed status and the loops that run them.</summary>
public static class AppsServiceCollectionExtensions
{
    /// <summary>Needs the store, leadership, health, AddContainers, AddListeners and AddJobs.</summary>
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.TryAddSingleton<AppCatalog>();
        services.TryAddSingleton<AppStatusBoard>();
        services.TryAddSingleton<AppHolds>();
        services.TryAddSingleton<IExportedVolumes, ExportedAppVolumes>();
        services.TryAddSingleton<AppJobs>();
        services.TryAddSingleton<IListenerUrls, LanListenerUrls>();
#pragma warning disable CA5394 // jitter, not a secret
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<AppSupervisor>(provider, (Func<double>)Random.Shared.NextDouble));
#pragma warning restore CA5394
        services.AddHostedService<ListenerTableLoop>();
        services.AddHostedService<AppSupervisorLoop>();
        return services;
    }
}
