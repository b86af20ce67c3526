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
        // Names that change all the time must not pile up sessions: the oldest gives way.
        if (_sessions.Count > MaxRetiredSessions + 1) _ = _sessions[0].CloseAsync();
    }

    private async Task RetireAsync(RelaySession session, TimeSpan limit)
    {
        await session.DrainAsync(limit, _options.ReplacedSessionQuiet);
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
