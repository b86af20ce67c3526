namespace Piccolo.Api.Listeners;

/// <summary>Registers what watches over listeners and shows them.</summary>
internal static class ListenersServiceCollectionExtensions
{
    public static IServiceCollection AddListenerUpkeep(this IServiceCollection services) => services
        .AddSingleton<ServiceViews>().AddSingleton<ListenerHealth>().AddSingleton<ListenerProbe>()
        .AddHostedService<ListenerProbeLoop>().AddHostedService<BusyPortLoop>();
}
