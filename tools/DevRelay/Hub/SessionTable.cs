using System.Collections.Concurrent;
using Piccolo.DevRelay.Routing;

namespace Piccolo.DevRelay.Hub;

/// <summary>The accepted sessions and the pools they are in. Thread-safe.</summary>
internal sealed class SessionTable(bool stockEmptyPools)
{
    private readonly ConcurrentDictionary<long, Session> _sessions = new();
    private readonly BackendPools<Session> _pools = new(stockEmptyPools);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastId;

    public RelayCounters Counters { get; } = new();

    public IReadOnlyList<Session> All => [.. _sessions.Values.OrderBy(s => s.Id)];

    /// <summary>Completes at the next session that comes or goes. Take it before looking at <see cref="All"/>.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public long NextId() => Interlocked.Increment(ref _lastId);

    public Session? Pick(string routeKey) => _pools.Pick(routeKey);

    public void Add(Session session)
    {
        _sessions[session.Id] = session;
        _pools.Add(session, session.Grant.RouteKeys, session.Grant.Weight);
        Raise();
    }

    public void Remove(Session session)
    {
        _pools.Remove(session, session.Grant.RouteKeys);
        _sessions.TryRemove(session.Id, out _);
        Raise();
    }

    private void Raise() =>
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
