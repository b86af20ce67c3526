namespace Piccolo.Api.Vault;

internal static class LockServiceCollectionExtensions
{
    /// <summary>Opening and closing the box, and the watch over what a lock ends.</summary>
    public static IServiceCollection AddApplianceLock(this IServiceCollection services)
    {
        services.AddOptions<LockOptions>().BindConfiguration(LockOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ApplianceLock>().AddSingleton<LockSteps>();
        return services.AddSingleton<LockWatch>().AddSingleton<IHostedService>(s => s.GetRequiredService<LockWatch>());
    }
}
