using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.ControlStore;

public static class ControlStoreServiceCollectionExtensions
{
    public static IServiceCollection AddControlStore(this IServiceCollection services) => services.AddSingleton<SealedStore>();
}
