using System.Globalization;

namespace Piccolo.Core.Audit;

/// <summary>
/// Counts refusals by kind, class of origin and network (/24 or /64). Bounded: of more networks than <see cref="MaxNetworks"/> only kind and class of origin
/// are told apart. Not thread-safe.
/// </summary>
internal sealed class RefusalTally(TimeProvider time)
{
    public const int MaxNetworks = 16;

    private readonly Dictionary<(string Kind, string Origin, string? Network), Counted> _counted = [];
    private long _since;

    /// <summary>How long it has been counting; null when it has nothing.</summary>
    public TimeSpan? Age => _counted.Count == 0 ? null : time.GetElapsedTime(_since);

    /// <returns>Whether there was none like it; the first one is not counted.</returns>
    public bool IsFirst(AuditEvent refusal)
    {
        var counted = Find(refusal, out var isNew);
        if (!isNew) counted.Add(refusal);
        return isNew;
    }

    public void Add(AuditEvent refusal) => Find(refusal, out _).Add(refusal);

    public IEnumerable<AuditEvent> ToEvents() =>
        _counted.Where(c => c.Value.Count > 0).Select(c => c.Value.Last! with { Address = c.Key.Network, Detail = c.Value.ToDetail() });

    public void Clear() => _counted.Clear();

    private Counted Find(AuditEvent refusal, out bool isNew)
    {
        if (_counted.Count == 0) _since = time.GetTimestamp();
        var key = (refusal.Kind, refusal.Origin, AuditText.NetworkOf(refusal.Address));
        if (_counted.Count >= MaxNetworks && !_counted.ContainsKey(key)) key.Item3 = null;
        isNew = !_counted.TryGetValue(key, out var counted);
        return counted ?? (_counted[key] = new Counted());
    }

    private sealed class Counted
    {
        private DateTimeOffset _first;

        public int Count { get; private set; }

        public AuditEvent? Last { get; private set; }

        public void Add(AuditEvent refusal)
        {
            if (Count++ == 0) _first = refusal.Time;
            Last = refusal;
        }

        public Dictionary<string, string> ToDetail() => new(Last!.Detail, StringComparer.Ordinal)
        {
            ["count"] = Count.ToString(CultureInfo.InvariantCulture),
            ["since"] = _first.ToString("O", CultureInfo.InvariantCulture),
        };
    }
}
