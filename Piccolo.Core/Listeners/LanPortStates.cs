using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Listeners;

/// <summary>Whether a LAN port answers.</summary>
public enum LanPortBinding
{
    Listening,
    BindFailed,
}

/// <param name="Port">The port that is bound, or that could not be.</param>
/// <param name="Reason">For <see cref="LanPortBinding.BindFailed"/>: the system's word for it.</param>
/// <param name="Since">When this binding state began; further failed attempts do not move it.</param>
public sealed record LanPortState(PublishedListener Listener, LanPortBinding Binding, int Port, string? Reason, DateTimeOffset Since)
{
    /// <summary>Whether it failed because somebody else has the port: then another would do.</summary>
    public bool IsTaken { get; init; }
}

/// <summary>What became of each listener's LAN port, as observed. Snapshots are immutable; thread-safe.</summary>
public sealed class LanPortStates
{
    private ImmutableSortedDictionary<string, LanPortState> _byListener = ImmutableSortedDictionary.Create<string, LanPortState>(StringComparer.Ordinal);

    /// <summary>Raised after each change.</summary>
    public ChangeSignal Changed { get; } = new();

    public ImmutableSortedDictionary<string, LanPortState> Current => Volatile.Read(ref _byListener);

    public LanPortState? Find(string listenerName) => Current.GetValueOrDefault(listenerName);

    /// <summary>For the one loop that binds the ports.</summary>
    public void Set(LanPortState state)
    {
        var known = Find(state.Listener.Name);
        var next = known is not null && known.Binding == state.Binding && known.Port == state.Port ? state with { Since = known.Since } : state;
        Replace(Current.SetItem(state.Listener.Name, next));
    }

    public void Remove(string listenerName) => Replace(Current.Remove(listenerName));

    private void Replace(ImmutableSortedDictionary<string, LanPortState> next)
    {
        if (ReferenceEquals(next, _byListener)) return;
        Volatile.Write(ref _byListener, next);
        Changed.Raise();
    }
}
