using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.Exports;

public static class ExportsServiceCollectionExtensions
{
    /// <summary>Needs the store, and who knows the volumes: <see cref="IExportedVolumes"/>.</summary>
    public static IServiceCollection AddExports(this IServiceCollection services)
    {
        services.AddOptions<ExportOptions>().BindConfiguration(ExportOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<ExportLibrary>().AddSingleton<ExportReader>().AddSingleton<ExportWriter>().AddSingleton<ImportIntake>();
    }
}
