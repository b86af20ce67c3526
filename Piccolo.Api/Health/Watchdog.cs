using System.Globalization;
using Piccolo.Api.Platform;

namespace Piccolo.Api.Health;

/// <summary>
/// Pings the service manager at half of the interval that it asks for, each time only after the self-check passed: a daemon whose loops stand still is
/// restarted (sd_watchdog_enabled(3)).
/// </summary>
internal sealed class Watchdog(SystemdReporter systemd, SelfCheck check, TimeProvider time, ILogger<Watchdog> logger) : BackgroundService
{
    /// <summary>What the environment asks for; null when nobody watches this process.</summary>
    public static TimeSpan? Interval(string? microseconds, string? processId, int own)
    {
        if (!long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit <= 0) return null;
        // Meant for another process, which handed its environment on.
        if (processId is not null && processId != own.ToString(CultureInfo.InvariantCulture)) return null;
        return TimeSpan.FromMicroseconds(limit) / 2;
    }

    /// <summary>Checks and pings now and once in every interval.</summary>
    internal async Task WatchAsync(TimeSpan interval, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
            {
                await PingAsync(interval / 2);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Interval(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId) is { } interval
            ? WatchAsync(interval, stoppingToken)
            : Task.CompletedTask;

    private async Task PingAsync(TimeSpan limit)
    {
        try
        {
            if (await check.FindFaultAsync(limit) is { } fault) logger.SelfCheckFailed(fault);
            else systemd.Alive();
        }
        catch (Exception e)
        {
            logger.SelfCheckFailed(e.Message);
        }
    }
}
