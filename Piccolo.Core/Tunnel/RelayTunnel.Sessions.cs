using System.Collections.Immutable;
using Piccolo.Core.Tunnel.Session;

namespace Piccolo.Core.Tunnel;

/// <summary>How sessions give way to each other.</summary>
public sealed partial class RelayTunnel
{
    private const int MaxRetiredSessions = 4;

    private void Retire(RelaySession session, TimeSpan limit, ImmutableSortedSet<string> served)
    {
        if (_serving == session) Volatile.Write(ref _serving, null);
        session.Narrow(served);
        _ = RetireAsync(session, limit);
        // Names that change all the time must not pile up sessions: of the retired ones, the one that disturbs fewest gives way.
        if (_sessions.Count > MaxRetiredSessions + 1)
            _ = _sessions.Where(other => other != _serving).OrderBy(other => other.StreamCount).ThenBy(other => other.Weight).First().CloseAsync();
    }

    /// <summary>Before one more session is opened: waits until one of the retired ones has no stream, so that none is cut for it.</summary>
    private async Task MakeRoomAsync(RelaySession serving, CancellationToken cancellationToken)
    {
        var retired = _sessions.Where(session => session != serving).ToList();
        if (retired.Count < MaxRetiredSessions) return;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> ends =
        [
            serving.Completion, Task.Delay(_options.HostnameDebounceMax, _time, waiting.Token), .. retired.Select(session => session.Completion),
            .. retired.Select(session => session.WaitUntilEmptyAsync(waiting.Token)),
        ];
        await Task.WhenAny(ends);
        await waiting.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task RetireAsync(RelaySession session, TimeSpan limit)
    {
        // The relay goes on choosing one that outweighs its successor: a quiet while may never come, so that the first moment without a stream has to do.
        await session.DrainAsync(limit, () => _serving is { } serving && session.Weight > serving.Weight ? TimeSpan.Zero : _options.ReplacedSessionQuiet);
        Forget(session);
        _logger.Retired(session.Number, session.StreamCount);
        Changed.Raise();
    }

    private void Forget(RelaySession session)
    {
        ImmutableInterlocked.Update(ref _sessions, list => list.Remove(session));
        Interlocked.CompareExchange(ref _serving, null, session);
    }

    private async Task CloseAllAsync(TunnelTarget? target)
    {
        var sessions = _sessions;
        foreach (var session in sessions) session.Narrow([]);
        await Task.WhenAll(sessions.Select(session => session.CloseAsync()));
        foreach (var session in sessions) Forget(session);
        _weights.AllClosed();
        _failedTarget = null;
        _backoff.Reset();
        if (_status.State != TunnelState.Disabled) _logger.Disabled();
        Publish(new TunnelStatus
        {
            State = TunnelState.Disabled,
            Code = target is null ? null : "no_names",
            Reason = target is null ? null : "There is no name to serve.",
            LastHandshake = _status.LastHandshake,
        });
    }
}
