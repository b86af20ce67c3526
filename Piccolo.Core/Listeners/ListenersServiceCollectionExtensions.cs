using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Listeners;

/// <summary>Registers the listener table and the ports that listeners get.</summary>
public static class ListenersServiceCollectionExtensions
{
    public static IServiceCollection AddListeners(this IServiceCollection services)
    {
        services.AddOptions<ListenerPortOptions>().BindConfiguration(ListenerPortOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ListenerPortOptions>, ListenerPortOptionsValidator>());
        services.TryAddSingleton<ListenerTable>();
        services.TryAddSingleton(provider => ListenerPorts.FromOptions(provider.GetRequiredService<IOptions<ListenerPortOptions>>().Value));
        return services;
    }
}
