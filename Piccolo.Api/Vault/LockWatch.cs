using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress;
using Piccolo.Core.Apps;
using Piccolo.Core.Certificates;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

/// <summary>
/// Watches, while locked, until everything that a lock ends has been seen to end, and knows at any time what has not. Also after a start: a daemon that was
/// killed may find its apps running. Thread-safe.
/// </summary>
internal sealed class LockWatch(
    LockSteps steps, ApplianceVault vault, SealedStore store, AppStatusBoard apps, IContainerRuntime containers, LanPortStates lanPorts, RouteTableHolder routes, NexusTunnel tunnel,
    ServerCertificateTable certificates, MemoryWipe memory, HealthTracker health, IOptions<LockOptions> options, TimeProvider time, ILogger<LockWatch> logger) : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Regular = TimeSpan.FromSeconds(30);

    /// <summary>
    /// When, after a lock, memory is wiped: at once, and again for what was still in some hand then: the request that locked, a connection that was closing,
    /// and buffers that the runtime's shared pools let go of only after a minute.
    /// </summary>
    private static readonly TimeSpan[] Wipes = [TimeSpan.Zero, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(75)];

    private readonly TimeSpan _patience = options.Value.Patience;

    private readonly ChangeSignal[] _signals =
        [vault.Changed, store.Changed, apps.Changed, containers.Changed, lanPorts.Changed, routes.Changed, tunnel.Changed, certificates.Changed];

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private ImmutableArray<UnfinishedStep> _unfinished = [];
    private long _since = time.GetTimestamp();

    // There is something to wipe only once it was open.
    private int _nextWipe = Wipes.Length;
    private long _ended;
    private bool _complained;

    /// <summary>What was last seen not to have ended; empty while unlocked.</summary>
    public IReadOnlyCollection<UnfinishedStep> Unfinished => ImmutableInterlocked.InterlockedCompareExchange(ref _unfinished, default, default);

    /// <summary>Waits, at most <see cref="LockOptions.Patience"/>, until nothing is left.</summary>
    /// <returns>What is left.</returns>
    public async Task<IReadOnlyCollection<UnfinishedStep>> WaitUntilEndedAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var signals = new SignalSet(_signals);
        while (true)
        {
            signals.Mark();
            var left = await ObserveAsync(cancellationToken);
            var patience = _patience - time.GetElapsedTime(began);
            if (left.IsEmpty || patience <= TimeSpan.Zero) return left;
            await signals.WaitAsync(patience < LookAgain ? patience : LookAgain, time, cancellationToken);
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
                await signals.WaitAsync(Unfinished.Count > 0 || (_nextWipe < Wipes.Length && vault.State != VaultState.Unlocked) ? LookAgain : Regular, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.LockWatchFailed(e);
                await Task.Delay(LookAgain, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<ImmutableArray<UnfinishedStep>> ObserveAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            // Nothing was ever open in a box that nobody has claimed.
            if (vault.State is VaultState.Unlocked or VaultState.Unclaimed) return Forget();
            var left = await steps.ObserveAsync(cancellationToken);
            // Unlocked again meanwhile: what runs now is as it should be.
            if (vault.State == VaultState.Unlocked) return Forget();
            ImmutableInterlocked.InterlockedExchange(ref _unfinished, left);
            if (left.IsEmpty) OnEnded();
            else if (!_complained && time.GetElapsedTime(_since) >= _patience) Complain(left);
            return left;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private ImmutableArray<UnfinishedStep> Forget()
    {
        (_since, _nextWipe, _complained) = (time.GetTimestamp(), vault.State == VaultState.Unlocked ? 0 : Wipes.Length, false);
        ImmutableInterlocked.InterlockedExchange(ref _unfinished, []);
        return [];
    }

    private void OnEnded()
    {
        if (_complained)
        {
            _complained = false;
            logger.LockEnded();
            health.Ok(HealthComponents.Vault, "locked");
        }
        if (_nextWipe == Wipes.Length) return;
        if (_nextWipe == 0) _ended = time.GetTimestamp();
        if (time.GetElapsedTime(_ended) < Wipes[_nextWipe]) return;
        _nextWipe++;
        memory.Wipe();
    }

    private void Complain(ImmutableArray<UnfinishedStep> left)
    {
        _complained = true;
        var sentence = string.Join(" ", left.Select(s => s.Reason));
        logger.LockUnfinished(sentence);
        health.Degraded(HealthComponents.Vault, "locked, but not everything has ended: " + sentence);
    }
}
