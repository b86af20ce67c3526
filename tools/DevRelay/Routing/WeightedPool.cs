namespace Piccolo.DevRelay.Routing;

/// <summary>The members that claim one name, picked by interleaved weighted round robin. Not thread-safe: the pools lock.</summary>
internal sealed class WeightedPool<T>
    where T : class
{
    private readonly List<(T Member, int Weight)> _members = [];
    private int _index = -1;
    private int _current;

    public int Count => _members.Count;

    public void Add(T member, int weight) => _members.Add((member, weight));

    /// <summary>The last member takes the gap; index and current weight stay as they are, as in the stock relay.</summary>
    public void Remove(T member)
    {
        var at = _members.FindIndex(m => ReferenceEquals(m.Member, member));
        if (at < 0) return;
        _members[at] = _members[^1];
        _members.RemoveAt(_members.Count - 1);
    }

    public T? Next()
    {
        if (_members.Count == 0) return null;
        if (_members.Count == 1) return _members[0].Member;
        var step = _members.Aggregate(0, (gcd, m) => Gcd(gcd, m.Weight));
        while (true)
        {
            _index = (_index + 1) % _members.Count;
            if (_index == 0)
            {
                _current -= step;
                if (_current <= 0) _current = _members.Max(m => m.Weight);
            }

            if (_members[_index].Weight >= _current) return _members[_index].Member;
        }
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
