namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>
/// Connections of one key that wait for a request. The one that waited shortest goes first, so that those that nobody needs grow old. Thread-safe.
/// </summary>
internal sealed class IdleAppConnections
{
    private readonly Lock _gate = new();
    private readonly List<AppConnection> _waiting = [];

    public AppConnection? Take()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0) return null;
            var last = _waiting[^1];
            _waiting.RemoveAt(_waiting.Count - 1);
            return last;
        }
    }

    /// <returns>False when there are enough.</returns>
    public bool Add(AppConnection connection, int limit)
    {
        lock (_gate)
        {
            if (_waiting.Count >= limit) return false;
            _waiting.Add(connection);
            return true;
        }
    }

    /// <returns>False when it does not wait here; then somebody else has it.</returns>
    public bool Remove(AppConnection connection)
    {
        lock (_gate) return _waiting.Remove(connection);
    }
}
