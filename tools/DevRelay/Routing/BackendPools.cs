namespace Piccolo.DevRelay.Routing;

/// <summary>Which backends serve which route key. Thread-safe.</summary>
/// <param name="stockEmptyPools">Whether an exact name that lost its last member still hides a wildcard, as in the stock relay until it restarts.</param>
internal sealed class BackendPools<T>(bool stockEmptyPools)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, WeightedPool<T>> _exact = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WeightedPool<T>> _wildcards = new(StringComparer.Ordinal);

    public void Add(T member, IEnumerable<string> keys, int weight)
    {
        lock (_lock)
        {
            foreach (var key in keys)
            {
                var (table, name) = Place(key);
                if (!table.TryGetValue(name, out var pool)) table[name] = pool = new WeightedPool<T>();
                pool.Add(member, weight);
            }
        }
    }

    public void Remove(T member, IEnumerable<string> keys)
    {
        lock (_lock)
        {
            foreach (var key in keys)
            {
                var (table, name) = Place(key);
                if (!table.TryGetValue(name, out var pool)) continue;
                pool.Remove(member);
                if (pool.Count == 0 && !stockEmptyPools) table.Remove(name);
            }
        }
    }

    /// <summary>The next backend for a key: an exact pool's answer is final, then the wildcard of one more label.</summary>
    public T? Pick(string key)
    {
        lock (_lock)
        {
            if (_exact.TryGetValue(key, out var pool)) return pool.Next();
            return Hostnames.FirstDotSuffix(key) is { } suffix && _wildcards.TryGetValue(suffix, out pool) ? pool.Next() : null;
        }
    }

    private (Dictionary<string, WeightedPool<T>> Table, string Name) Place(string key) =>
        Hostnames.WildcardSuffix(key) is { } suffix ? (_wildcards, suffix) : (_exact, key);
}
