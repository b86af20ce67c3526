using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Leadership;

public static class LeadershipServiceCollectionExtensions
{
    public static IServiceCollection AddLeadership(this IServiceCollection services)
    {
        services.AddOptions<LeadershipOptions>().BindConfiguration(LeadershipOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<LeadershipOptions>, LeadershipOptionsValidator>();
        services.AddSingleton(provider => new LeadershipRegistry(
            provider.GetRequiredService<ILogger<LeadershipRegistry>>(),
            provider.GetRequiredService<IOptions<LeadershipOptions>>().Value.Mode == LeadershipMode.Single ? Role.Leader : Role.Unknown));
        services.AddSingleton<ILeaderElector>(provider => provider.GetRequiredService<IOptions<LeadershipOptions>>().Value.Mode switch
        {
            LeadershipMode.File => ActivatorUtilities.CreateInstance<FileElector>(provider),
            _ => ActivatorUtilities.CreateInstance<SingleElector>(provider),
        });
        services.AddHostedService<LeaderElectorLoop>();
        return services;
    }
}
