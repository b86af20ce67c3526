using Piccolo.Core.Exports;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Platform;

/// <summary>Configuration section <c>Piccolo</c>: what belongs to no single feature.</summary>
public sealed class ApplianceOptions
{
    public const string Section = "Piccolo";

    /// <summary>Everything the daemon writes; mode 0700. Default <c>/var/lib/piccolo</c>, in Development <c>./run-state</c>.</summary>
    public string StateDirectory { get; set; } = "/var/lib/piccolo";
}

internal static class PlatformSetup
{
    private const string InstalledSettings = "/etc/piccolo/appsettings.json";
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(10);

    /// <summary>The owner's settings file goes over the packaged one; environment variables and arguments go over both.</summary>
    public static WebApplicationBuilder AddPlatform(this WebApplicationBuilder builder, string[] args)
    {
        builder.Configuration.AddJsonFile(InstalledSettings, optional: true, reloadOnChange: false).AddEnvironmentVariables().AddCommandLine(args);
        if (builder.Environment.IsProduction()) builder.Logging.ClearProviders().AddJsonConsole();
        builder.Services.AddSystemd();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownLimit);
        var options = builder.Configuration.GetSection(ApplianceOptions.Section).Get<ApplianceOptions>() ?? new ApplianceOptions();
        builder.Services.AddSingleton(new StatePaths(options.StateDirectory));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<HealthTracker>();
        builder.Services.AddHostedService<StateInspection>();
        return builder;
    }
}

/// <summary>Looks at the state on the disk before any port answers.</summary>
internal sealed class StateInspection(ApplianceVault vault, StatePaths paths) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        ImportPlacement.Finish(paths);
        vault.Inspect();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
