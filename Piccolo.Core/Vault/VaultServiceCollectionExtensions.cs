using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.Vault;

public static class VaultServiceCollectionExtensions
{
    /// <summary>Call after whatever inspects the vault at start: the set-up code is printed for a box that turned out to be unclaimed.</summary>
    public static IServiceCollection AddVault(this IServiceCollection services)
    {
        services.AddOptions<VaultOptions>().BindConfiguration(VaultOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Kdf.ToCost().IsAcceptable, "Piccolo:Vault:Kdf is out of bounds.").ValidateOnStart();
        return services.AddSingleton<ApplianceVault>().AddSingleton<SetupCode>().AddHostedService<SetupCodeAnnouncement>();
    }
}
