using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.Jobs;

public static class JobsServiceCollectionExtensions
{
    public static IServiceCollection AddJobs(this IServiceCollection services) =>
        services.AddSingleton<JobTable>().AddHostedService(provider => provider.GetRequiredService<JobTable>());
}
