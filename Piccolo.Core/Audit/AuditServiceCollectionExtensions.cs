using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.Audit;

public static class AuditServiceCollectionExtensions
{
    public static IServiceCollection AddAudit(this IServiceCollection services) => services.AddSingleton<AuditLog>().AddHostedService<AuditLoop>();
}
