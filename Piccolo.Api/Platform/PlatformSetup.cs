using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting.Systemd;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Platform;

/// <summary>The process: its settings, its state folder, its log, how it starts afresh and how it ends.</summary>
internal static class PlatformSetup
{
    private const string InstalledSettings = "/etc/piccolo/appsettings.json";

    /// <summary>Set by systemd where the output goes to its journal (systemd.exec(5)).</summary>
    private const string JournalStream = "JOURNAL_STREAM";

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
            builder.Logging.ClearProviders();
            // The journal has a time for each line, and takes the level from its beginning; people read it. Elsewhere a program does.
            if (Environment.GetEnvironmentVariable(JournalStream) is { Length: > 0 }) builder.Logging.AddSystemdConsole();
            else builder.Logging.AddJsonConsole(console => (console.TimestampFormat, console.UseUtcTimestamp) = ("O", true));
        }
        builder.Services.Configure<HostOptions>(options => (options.ShutdownTimeout, options.ServicesStopConcurrently) = (OrderlyShutdown.Limit, true));
        // By a factory, so that the container gives it back when it ends.
        builder.Services.AddSingleton(_ => inUse);
        builder.Services.AddSingleton(paths);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(s =>
            new ClockFloor(paths, Build.Date, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<ClockFloor>>()));
        builder.Services.AddSingleton<ExecRestart>().AddSingleton<IProcessRestart>(s => s.GetRequiredService<ExecRestart>());
        builder.Services.AddHostedService<StateInspection>();
        builder.Services.AddSystemdReporting().AddSingleton<IHostedService, OrderlyShutdown>();
        return builder;
    }

    /// <summary>Each goes over those before it: the owner's file, which may be missing, the environment, the arguments.</summary>
    internal static IConfigurationBuilder AddSettings(this IConfigurationBuilder configuration, string file, string[] args) =>
        configuration.AddJsonFile(file, optional: true, reloadOnChange: false).AddEnvironmentVariables().AddCommandLine(args);

    private static IServiceCollection AddSystemdReporting(this IServiceCollection services)
    {
        // Not AddSystemd: it would replace the JSON of the logs, and it looks for systemd as the parent, which it is not inside a container.
        services.TryAddSingleton<ISystemdNotifier, SystemdNotifier>();
        return services.AddSingleton<SystemdReporter>().AddSingleton<IHostedService>(s => s.GetRequiredService<SystemdReporter>());
    }
}
