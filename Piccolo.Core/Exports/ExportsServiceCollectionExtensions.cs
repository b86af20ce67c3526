using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.Exports;

public static class ExportsServiceCollectionExtensions
{
    public static IServiceCollection AddExports(this IServiceCollection services)
    {
        services.AddOptions<ExportOptions>().BindConfiguration(ExportOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<ExportLibrary>().AddSingleton<ExportWriter>().AddSingleton<ImportIntake>();
    }
}
