using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Remote.Probing;

/// <summary>How each public name was last found from outside. Empty while locked or switched off. Thread-safe.</summary>
public sealed class FrontDoorBoard
{
    private ImmutableSortedDictionary<string, NameReach> _names = ImmutableSortedDictionary.Create<string, NameReach>(StringComparer.Ordinal);

    /// <summary>Raised when a result changed, a name came or went.</summary>
    public ChangeSignal Changed { get; } = new();

    public ImmutableArray<NameReach> Names => [.. Volatile.Read(ref _names).Values];

    public NameReach? Find(string name) => Volatile.Read(ref _names).GetValueOrDefault(name);

    /// <summary>Keeps exactly these names; new ones are unknown.</summary>
    internal void Keep(IEnumerable<string> names, DateTimeOffset now)
    {
        var before = Volatile.Read(ref _names);
        var after = before.Clear()
            .AddRange(names.Distinct(StringComparer.Ordinal).Select(n => KeyValuePair.Create(n, before.GetValueOrDefault(n) ?? NameReach.NotYet(n, now))));
        Volatile.Write(ref _names, after);
        if (!before.Keys.SequenceEqual(after.Keys)) Changed.Raise();
    }

    /// <returns>Before and after; null when the name is gone meanwhile.</returns>
    internal (NameReach Before, NameReach After)? Record(string name, Observation seen, DateTimeOffset now)
    {
        while (true)
        {
            var names = Volatile.Read(ref _names);
            if (names.GetValueOrDefault(name) is not { } before) return null;
            var after = before.After(seen, now);
            if (Interlocked.CompareExchange(ref _names, names.SetItem(name, after), names) != names) continue;
            if (before.Result != after.Result) Changed.Raise();
            return (before, after);
        }
    }
}
