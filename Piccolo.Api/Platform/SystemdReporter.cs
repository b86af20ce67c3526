using System.Diagnostics;
using Microsoft.Extensions.Hosting.Systemd;

namespace Piccolo.Api.Platform;

/// <summary>
/// Tells systemd how the daemon is (sd_notify): ready once the ports are bound and the state was read, stopping, and one status line that <c>systemctl
/// status</c> shows. Without a service manager it says nothing.
/// </summary>
internal sealed class SystemdReporter(ISystemdNotifier notifier) : IHostedLifecycleService
{
    private readonly Lock _gate = new();
    private string _status = "";

    /// <summary>Says it only when it is news.</summary>
    public void Status(string status)
    {
        lock (_gate)
        {
            if (!notifier.IsEnabled || status == _status) return;
            _status = status;
            notifier.Notify(new ServiceState("STATUS=" + status));
        }
    }

    public void Alive()
    {
        lock (_gate) notifier.Notify(new ServiceState("WATCHDOG=1"));
    }

    /// <summary>Until the next <c>READY=1</c>, which the new image sends. The time is CLOCK_MONOTONIC, as newer service managers want it.</summary>
    public void Reloading()
    {
        lock (_gate) notifier.Notify(new ServiceState($"RELOADING=1\nMONOTONIC_USEC={(long)Stopwatch.GetElapsedTime(0).TotalMicroseconds}"));
    }

    /// <summary>After every other part has started: the server, which starts last, has bound its ports.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        lock (_gate) notifier.Notify(ServiceState.Ready);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        lock (_gate) notifier.Notify(ServiceState.Stopping);
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
