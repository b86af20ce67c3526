using Piccolo.Api.Platform;
using Piccolo.Core.Certificates;
using Piccolo.Core.Health;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Health;

/// <summary>
/// Reports the health of components that do not report by themselves. Runs on their signals and on a timer. Sends a summary to the service manager.
/// </summary>
internal sealed class HealthLoop(
    IEnumerable<IHealthReporter> reporters, HealthTracker health,
    ApplianceVault vault, RelayTunnel tunnel, LanPortStates lanPorts, CertificateInventory certificates,
    SystemdReporter systemd, HealthPace pace, TimeProvider time, ILogger<HealthLoop> logger) : BackgroundService
{
    private readonly IHealthReporter[] _reporters = [.. reporters];
    private long _lastRound = time.GetTimestamp();

    public bool IsLate => time.GetElapsedTime(Volatile.Read(ref _lastRound)) > pace.LateAfter;

    /// <summary>Raised after each round.</summary>
    public ChangeSignal RoundCompleted { get; } = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(vault.Changed, tunnel.Changed, lanPorts.Changed, certificates.Changed);
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                signals.Mark();
                foreach (var reporter in _reporters) Run(reporter);
                systemd.Status(FormatStatus());
                Volatile.Write(ref _lastRound, time.GetTimestamp());
                RoundCompleted.Raise();
                await signals.WaitAsync(pace.Regular, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private void Run(IHealthReporter reporter)
    {
        try
        {
            reporter.Report();
        }
        catch (Exception e)
        {
            logger.ReporterFailed(reporter.GetType().Name, e);
        }
    }

    private string FormatStatus()
    {
        var now = health.Snapshot;
        var state = vault.State switch
        {
            VaultState.Unclaimed => "not set up",
            VaultState.Locked => "locked",
            VaultState.Unlocked => "unlocked",
            _ => "key set unusable",
        };
        if (!now.Ready) return $"{state}; fatal: {string.Join(", ", now.Faults.Values.Select(f => f.Detail))}";
        var worse = now.Components.Where(c => c.Level == HealthLevel.Degraded).Select(c => c.Name).ToList();
        return worse.Count == 0 ? $"{state}; ready" : $"{state}; ready, degraded: {string.Join(", ", worse)}";
    }
}
