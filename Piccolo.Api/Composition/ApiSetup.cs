using FluentValidation;
using Piccolo.Api.Apps;
using Piccolo.Api.Audit;
using Piccolo.Api.Auth;
using Piccolo.Api.Certificates;
using Piccolo.Api.Cluster;
using Piccolo.Api.Device;
using Piccolo.Api.Exports;
using Piccolo.Api.Health;
using Piccolo.Api.Http;
using Piccolo.Api.Jobs;
using Piccolo.Api.Listeners;
using Piccolo.Api.Metrics;
using Piccolo.Api.Remote;
using Piccolo.Api.Security;
using Piccolo.Api.Vault;

namespace Piccolo.Api.Composition;

/// <summary>The API's table of contents.</summary>
internal static class ApiSetup
{
    /// <summary>What every route shares: errors, validators, views and the OpenAPI document. The features themselves are registered by the program.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.AddExceptionHandler<PiccoloExceptionHandler>();
        services.AddProblemDetails(options =>
            options.CustomizeProblemDetails = context => context.ProblemDetails.Instance ??= context.HttpContext.Request.Path);
        services.AddSingleton<OwnerFilter>().AddSingleton<AppViews>().AddSingleton<AppCommands>().AddSingleton<AliasViews>().AddSingleton<AliasAddition>()
            .AddSingleton<ExportJobs>();
        foreach (var validator in AssemblyScanner.FindValidatorsInAssembly(typeof(ApiSetup).Assembly, includeInternalTypes: true))
            services.AddSingleton(validator.InterfaceType, validator.ValidatorType);
        return services.AddOpenApiDocument();
    }

    public static void UseApi(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseSecurityHeaders();
        app.UseStatusCodeProblems();
        app.UseMethodRules();
        app.UseRouting();
        app.UseBodyLimit();
    }

    public static void MapApi(this WebApplication app)
    {
        // What the operating system's health checker knows, beside the same under the API's prefix.
        app.MapHealth("Root").ExcludeFromDescription();
        app.MapVersion();
        app.MapMetrics();
        var api = app.MapGroup("/api/v1").AddEndpointFilter<OriginFilter>();
        api.MapHealth().MapHealthDetail();
        api.MapVault();
        api.MapAuth();
        api.MapSystem();
        api.MapCluster();
        api.MapApps();
        api.MapAppLogs();
        api.MapAppUsage();
        api.MapVolumes();
        api.MapServices();
        api.MapRemote();
        api.MapCertificates();
        api.MapJobs();
        api.MapExports();
        api.MapAudit();
        app.MapOpenApiDocument();
    }
}
