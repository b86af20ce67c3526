using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting.Systemd;
using Piccolo.Api.Health;
using Piccolo.Api.Metrics;
using Piccolo.Core.Exports;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Platform;

/// <summary>Configuration section <c>Piccolo</c>: settings of the whole program.</summary>
public sealed class ApplianceOptions
{
    public const string Section = "Piccolo";

    /// <summary>Everything the daemon writes; mode 0700.</summary>
    public string StateDirectory { get; set; } = "/var/lib/piccolo";
}

internal static class PlatformSetup
{
    private const string InstalledSettings = "/etc/piccolo/appsettings.json";

    /// <summary>The owner's settings file goes over the packaged one; environment variables and arguments go over both.</summary>
    public static void AddSettings(this WebApplicationBuilder builder, string[] args) => builder.Configuration.AddSettings(InstalledSettings, args);

    /// <summary>Makes the state folder, and makes it this process's; ends the process where another one has it.</summary>
    public static StateDirectoryLock TakeStateDirectory(this WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(ApplianceOptions.Section).Get<ApplianceOptions>() ?? new ApplianceOptions();
        return StateDirectoryLock.TakeOrExit(new StatePaths(options.StateDirectory));
    }

    public static WebApplicationBuilder AddPlatform(this WebApplicationBuilder builder, StateDirectoryLock inUse)
    {
        var paths = inUse.Paths;
        if (builder.Environment.IsProduction())
        {
            builder.Logging.ClearProviders().AddJsonConsole(console => (console.TimestampFormat, console.UseUtcTimestamp) = ("O", true));
        }
        builder.Services.Configure<HostOptions>(options => (options.ShutdownTimeout, options.ServicesStopConcurrently) = (OrderlyShutdown.Limit, true));
        // By a factory, so that the container gives it back when it ends.
        builder.Services.AddSingleton(_ => inUse);
        builder.Services.AddSingleton(paths);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(s => new ClockFloor(paths, BuildDate, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<ClockFloor>>()));
        builder.Services.AddSingleton<ExecRestart>().AddSingleton<IProcessRestart>(s => s.GetRequiredService<ExecRestart>());
        builder.Services.AddHostedService<StateInspection>();
        builder.Services.AddHealth().AddTelemetry(builder.Configuration).AddSystemdReporting().AddSingleton<IHostedService, OrderlyShutdown>();
        return builder;
    }

    /// <summary>Each goes over those before it: the owner's file, which may be missing, the environment, the arguments.</summary>
    internal static IConfigurationBuilder AddSettings(this IConfigurationBuilder configuration, string file, string[] args) =>
        configuration.AddJsonFile(file, optional: true, reloadOnChange: false).AddEnvironmentVariables().AddCommandLine(args);

    /// <summary>From the assembly; a day is exact enough for a clock that was reset.</summary>
    public static DateTimeOffset BuildDate { get; } = DateTimeOffset.ParseExact(
        typeof(PlatformSetup).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == nameof(BuildDate)).Value!,
        "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    private static IServiceCollection AddSystemdReporting(this IServiceCollection services)
    {
        // Not AddSystemd: it would replace the JSON of the logs, and it looks for systemd as the parent, which it is not inside a container.
        services.TryAddSingleton<ISystemdNotifier, SystemdNotifier>();
        services.AddSingleton<SystemdReporter>().AddSingleton<IHostedService>(s => s.GetRequiredService<SystemdReporter>());
        services.AddSingleton<SelfCheck>();
        return services.AddHostedService<Watchdog>();
    }
}

/// <summary>Looks at the state on the disk before any port answers. Holds the right to it: made first, it is given back last.</summary>
internal sealed class StateInspection(StateDirectoryLock inUse, ApplianceVault vault, StatePaths paths, ILogger<StateInspection> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        logger.StateInUse(inUse.Paths.Root);
        ImportPlacement.Finish(paths);
        vault.Inspect();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
