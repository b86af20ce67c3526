using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Piccolo.Api.Http;
using Piccolo.Api.Platform;
using Piccolo.Api.Security;
using Piccolo.Core.Auth;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Network;

namespace Piccolo.Api.Metrics;

/// <summary>OpenTelemetry: metrics for Prometheus to scrape, and metrics and traces to a collector where one is configured.</summary>
internal static class TelemetrySetup
{
    /// <summary>OpenTelemetry's own variable; without it nothing leaves the device.</summary>
    private const string Collector = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string BearerPrefix = "Bearer ";
    private const string Server = "Microsoft.AspNetCore.Server.Kestrel";

    /// <summary>
    /// Of an instrument whose tags are enumerations. The library takes the memory at the start, and without a limit it does so for 2,000: 170 KB for each
    /// instrument.
    /// </summary>
    private const int MaxSeries = 100;

    /// <summary>One series for each name or certificate of the owner's.</summary>
    private static readonly string[] OfEachName = ["piccolo.certificates.remaining", "piccolo.names.reachable", "piccolo.names.round_trip"];

    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<MetricsOptions>().BindConfiguration(MetricsOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Telemetry>();
        var collects = !string.IsNullOrEmpty(configuration[Collector]);
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("piccolo", serviceVersion: Build.Version))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter("Piccolo.*", Server, "System.Runtime").AddPrometheusExporter();
                metrics.AddView(View);
                if (collects) metrics.AddOtlpExporter();
            });
        // Without anybody to read them spans are not even made. The server's own source makes one for each request, above ours.
        if (collects) telemetry.WithTracing(traces => traces.AddSource("Piccolo.*", "Microsoft.AspNetCore").AddOtlpExporter());
        return services;
    }

    public static void MapMetrics(this WebApplication app)
    {
        var path = app.Services.GetRequiredService<IOptions<MetricsOptions>>().Value.Path;
        if (path.Length == 0) return;
        // The instruments exist from now on, whether or not anybody has used them.
        app.Services.GetRequiredService<Telemetry>();
        var scrape = ((IEndpointRouteBuilder)app).CreateApplicationBuilder().UseOpenTelemetryPrometheusScrapingEndpoint(_ => true).Build();
        app.MapGet(path, context => IsAllowed(context)
            ? scrape(context) : Problems.Unauthorized("Metrics are for this machine, and for bearer tokens.").ExecuteAsync(context))
            .ExcludeFromDescription();
    }

    private static MetricStreamConfiguration? View(Instrument instrument) =>
        OfEachName.Contains(instrument.Name) ? null : new MetricStreamConfiguration { CardinalityLimit = MaxSeries };

    private static bool IsAllowed(HttpContext context)
    {
        if (context.Origin() == ConnectionOrigin.Loopback) return true;
        var services = context.RequestServices;
        var authorization = context.Request.Headers.Authorization.ToString();
        return authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase) && services.GetRequiredService<SealedStore>().IsOpen
            && services.GetRequiredService<ApiTokenStore>().Find(authorization[BearerPrefix.Length..].Trim()) is not null;
    }
}
