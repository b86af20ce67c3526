using System.Collections.Immutable;
using System.Diagnostics;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel.Session;

namespace Piccolo.Core.Tunnel;

/// <summary>The loop: each step looks at the target and at what serves, does one thing about the difference, and waits for a reason to look again.</summary>
public sealed partial class RelayTunnel
{
    private static readonly TimeSpan MeasureLimit = TimeSpan.FromSeconds(2);

    private TunnelTarget? _failedTarget;

    // Monotonic: a wall clock that is set back must not make an hour of a second.
    private long _pauseBegan;
    private TimeSpan _pause;
    private string? _lostBy;

    /// <summary>Runs until cancelled, then lets streams end within their limit, says goodbye and ends the source. Never gives up. Once only.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await StepAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception unexpected)
            {
                // The loop's top: whatever it was, the next attempt is planned like any other.
                _logger.LoopFailed(unexpected);
                PlanNextAttempt(
                    Volatile.Read(ref _target), new TunnelFailure(TunnelFailureKind.Unavailable, "internal_error", "An internal error; see the log."));
            }
        }
        await StopAsync();
    }

    private async Task StepAsync(CancellationToken cancellationToken)
    {
        var seen = _targetChanged.Version;
        var target = Volatile.Read(ref _target);
        await SettleLossAsync();
        HandleWake();

        if (target is null || target.Hostnames.IsEmpty)
        {
            await CloseAllAsync(target);
            await _targetChanged.WaitAsync(seen, cancellationToken);
            return;
        }
        if (_serving is not null)
        {
            if (_serving.Target.Equals(target))
            {
                await WaitAsync(seen, Timeout.InfiniteTimeSpan, cancellationToken);
                return;
            }
            // Another address may be the same relay's, and another secret its new one: what serves goes on until the new session does, or cannot.
            if (_serving.Target.HasSameRelay(target) && (_failedTarget is null || !_failedTarget.Equals(target))) await DebounceAsync(cancellationToken);
        }
        var pause = _pause - _time.GetElapsedTime(_pauseBegan);
        if (target.Equals(_failedTarget) && pause > TimeSpan.Zero)
        {
            await WaitAsync(seen, pause, cancellationToken);
            return;
        }
        if (_serving is not null)
        {
            await MakeRoomAsync(_serving, cancellationToken);
            if (_serving.Completion.IsCompleted) return;
        }
        await OpenAsync(cancellationToken);
    }

    /// <summary>In a frame of its own: a session that the waiting loop remembered would keep the device secret in memory after a lock.</summary>
    private Task SettleLossAsync() => _serving is { Completion.IsCompleted: true } gone ? OnLostAsync(gone) : Task.CompletedTask;

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var seen = _targetChanged.Version;
        if (Volatile.Read(ref _target) is not { Hostnames.IsEmpty: false } target || target.Equals(_serving?.Target)) return;
        if (_failedTarget is { } failed && !failed.HasSameRelay(target)) _backoff.Reset();
        using var span = Traces.Source.StartActivity("tunnel handshake")?.SetTag("relay", target.Endpoint.Host);
        var session = new RelaySession(
            Interlocked.Increment(ref _sessionNumber), target, _weights.Next(_sessions.IsEmpty ? 0 : _sessions.Max(other => other.Weight)), _scope);
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var opening = session.OpenAsync(ShowProgress, attempt.Token);
        while (await Task.WhenAny(opening, _targetChanged.WaitAsync(seen, attempt.Token)) != opening)
        {
            // New names can wait for the session; another relay makes it pointless, and so may another network.
            seen = _targetChanged.Version;
            if (Volatile.Read(ref _woken) != 0) break;
            if (Volatile.Read(ref _target) is not { } newer || !newer.HasSameRelay(target)) break;
        }
        if (!opening.IsCompleted) await attempt.CancelAsync();
        TunnelFailure? failure;
        try
        {
            failure = await opening;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return;
        }
        finally
        {
            await attempt.CancelAsync();
        }
        if (failure is not null) span?.SetStatus(ActivityStatusCode.Error);
        if (failure is null)
        {
            OnAccepted(session);
            return;
        }
        if (_serving is { } left && !left.Target.HasSameRelay(target)) Retire(left, _options.StopDrain, []);
        PlanNextAttempt(target, failure);
    }

    private void OnAccepted(RelaySession session)
    {
        var replaced = _serving;
        _weights.SessionOpened(session.Weight);
        ImmutableInterlocked.Update(ref _sessions, list => list.Add(session));
        Volatile.Write(ref _serving, session);
        _failedTarget = null;
        if (_lostBy is { } cause)
        {
            Interlocked.Increment(ref _reconnects);
            _history.Reconnected(cause);
        }
        _lostBy = null;
        // Make before break: the relay has the new session in its pools before the old one stops taking users, and streams of the old one live on.
        if (replaced is not null) _history.SessionReplaced();
        if (replaced is not null) Retire(replaced, _options.ReplacedSessionDrain, replaced.Target.Hostnames.Intersect(session.Target.Hostnames));
        _logger.Online(session.Number, session.Target.Endpoint.Host, session.Target.Hostnames.Count, session.Weight);
        Publish(new TunnelStatus { State = TunnelState.Online, LastHandshake = session.AcceptedAt });
    }

    private async Task OnLostAsync(RelaySession session)
    {
        var end = await session.Completion;
        // What drains went the same way, and may weigh more after the weights have started over.
        if (!session.EndedByRelay) _weights.SessionLost(_sessions.Max(other => other.Weight));
        Forget(session);
        if (session.Age >= _options.StableAfter) _backoff.Reset();
        _lostBy = end.Code;
        _history.SessionLost(_time.GetUtcNow(), end);
        PlanNextAttempt(session.Target, end, session);
    }

    private void PlanNextAttempt(TunnelTarget? target, TunnelFailure failure, RelaySession? lost = null)
    {
        _failedTarget = target;
        _pause = failure.TakesTheLongestPause ? _backoff.Longest() : _backoff.Next(isOutage: failure.Kind == TunnelFailureKind.Unavailable);
        _pauseBegan = _time.GetTimestamp();
        var next = _time.GetUtcNow() + _pause;
        if (lost is null) _logger.OpenFailed(failure.Code, failure.Reason, next);
        else _logger.Lost(lost.Number, failure.Code, failure.Reason, next);
        var state = _serving is not null ? TunnelState.Online : failure.Kind == TunnelFailureKind.Refused ? TunnelState.Refused : TunnelState.Waiting;
        Publish(_status with { State = state, Code = failure.Code, Reason = failure.Reason, NextStep = failure.NextStep, Until = next });
    }

    private async Task StopAsync()
    {
        var sessions = _sessions;
        Publish(_status with { State = TunnelState.Draining, Code = null, Reason = null, NextStep = null, Until = null });
        foreach (var session in sessions) session.Narrow([]);
        await Task.WhenAll(sessions.Select(session => session.DrainAsync(_options.StopDrain, () => TimeSpan.Zero)));
        foreach (var session in sessions) Forget(session);
        _weights.AllClosed();
        Publish(new TunnelStatus { State = TunnelState.Disabled, LastHandshake = _status.LastHandshake });
        _accepted.Writer.TryComplete();
        // Unclaimed streams of ended sessions.
        while (_accepted.Reader.TryRead(out var stream)) await stream.DisposeAsync();
    }

    private async Task DebounceAsync(CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        while (_time.GetElapsedTime(began) < _options.HostnameDebounceMax)
        {
            var seen = _targetChanged.Version;
            // Without names there is nothing to gather: the tunnel closes at once.
            if (Volatile.Read(ref _target) is not { Hostnames.IsEmpty: false }) return;
            await _targetChanged.WaitAsync(seen, _options.HostnameDebounce, _time, cancellationToken);
            if (_targetChanged.Version == seen) return;
        }
    }

    /// <summary>Until the target changes, the serving session ends, or the time is over.</summary>
    private async Task WaitAsync(long seen, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var end = _serving?.Completion as Task ?? Task.Delay(Timeout.InfiniteTimeSpan, _time, waiting.Token);
        await Task.WhenAny(_targetChanged.WaitAsync(seen, waiting.Token), Task.Delay(timeout, _time, waiting.Token), end);
        await waiting.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private void ShowProgress(TunnelState state)
    {
        if (_serving is null) Publish(_status with { State = state, Until = null });
    }

    private void Publish(TunnelStatus status)
    {
        Volatile.Write(ref _status, status);
        Changed.Raise();
    }
}
