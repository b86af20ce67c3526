using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Apps;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Jobs;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;
using Piccolo.Core.Volumes;

namespace Piccolo.Core.Locking;

/// <summary>
/// Watches, while locked, until everything that a lock ends has been seen to end, and knows at any time what has not. Also after a start: a daemon that was
/// killed may find its apps running. Thread-safe.
/// </summary>
public sealed class LockWatch(
    LockSteps steps, ApplianceVault vault, SealedStore store, JobTable jobs, AppStatusBoard apps, IContainerRuntime containers, LanPortStates lanPorts,
        RouteTableHolder routes, RelayTunnel tunnel,
    ServerCertificateTable certificates, IAppVolumes volumes, HealthTracker health, IOptions<LockOptions> options, TimeProvider time,
        ILogger<LockWatch> logger) : BackgroundService
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(30);
    private static readonly UnfinishedStep NotSeen = new(
        "apps", $"The container engine did not say in time whether apps still run. {LockSteps.ConnectionsEnd}");

    private readonly TimeSpan _patience = options.Value.Patience;

    private readonly ChangeSignal[] _signals =
        [vault.Changed, store.Changed, jobs.Ended, apps.Changed, containers.Changed, lanPorts.Changed, routes.Changed, tunnel.Changed, certificates.Changed,
            volumes.Changed];

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private ImmutableArray<UnfinishedStep> _unfinished = [];
    private long _since = time.GetTimestamp();
    private bool _isReported;

    /// <summary>What was last seen not to have ended; empty while unlocked.</summary>
    public IReadOnlyCollection<UnfinishedStep> Unfinished => ImmutableInterlocked.InterlockedCompareExchange(ref _unfinished, default, default);

    /// <summary>Waits, at most <see cref="LockOptions.Patience"/>, until nothing is left.</summary>
    /// <returns>What is left.</returns>
    public async Task<IReadOnlyCollection<UnfinishedStep>> WaitUntilEndedAsync()
    {
        using var limit = new CancellationTokenSource(_patience, time);
        var signals = new SignalSet(_signals);
        IReadOnlyCollection<UnfinishedStep> left = [NotSeen];
        try
        {
            while (true)
            {
                signals.Mark();
                left = await ObserveAsync(limit.Token);
                if (left.Count == 0) return left;
                await signals.WaitAsync(RetryInterval, time, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return left;
        }
    }

    public override void Dispose()
    {
        _oneAtATime.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(_signals);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            try
            {
                await ObserveAsync(stoppingToken);
                await signals.WaitAsync(Unfinished.Count > 0 ? RetryInterval : CheckInterval, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.LockWatchFailed(e);
                await Task.Delay(RetryInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<ImmutableArray<UnfinishedStep>> ObserveAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            // Nothing was ever open in a box that nobody has claimed.
            if (vault.State is VaultState.Unlocked or VaultState.Unclaimed) return Reset();
            var left = await steps.ObserveAsync(cancellationToken);
            // Unlocked again meanwhile: what runs now is as it should be.
            if (vault.State == VaultState.Unlocked) return Reset();
            ImmutableInterlocked.InterlockedExchange(ref _unfinished, left);
            if (left.IsEmpty) OnEnded();
            else if (!_isReported && time.GetElapsedTime(_since) >= _patience) ReportUnfinished(left);
            return left;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private ImmutableArray<UnfinishedStep> Reset()
    {
        (_since, _isReported) = (time.GetTimestamp(), false);
        ImmutableInterlocked.InterlockedExchange(ref _unfinished, []);
        return [];
    }

    private void OnEnded()
    {
        if (!_isReported) return;
        _isReported = false;
        logger.LockEnded();
        health.Ok(HealthComponents.Vault, "locked");
    }

    private void ReportUnfinished(ImmutableArray<UnfinishedStep> left)
    {
        _isReported = true;
        var sentence = string.Join(" ", left.Select(s => s.Reason));
        logger.LockUnfinished(sentence);
        health.Degraded(HealthComponents.Vault, "locked, but not everything has ended: " + sentence);
    }
}
