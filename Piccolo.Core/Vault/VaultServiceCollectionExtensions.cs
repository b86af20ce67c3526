using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.Vault;

public static class VaultServiceCollectionExtensions
{
    public static IServiceCollection AddVault(this IServiceCollection services)
    {
        services.AddOptions<VaultOptions>().BindConfiguration(VaultOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Kdf.ToCost().IsAcceptable, "Piccolo:Vault:Kdf is out of bounds.").ValidateOnStart();
        return services.AddSingleton<ApplianceVault>();
    }
}
