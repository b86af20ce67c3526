using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Listeners;

/// <summary>
/// The listeners of all installed apps, as a snapshot that whoever installs replaces whole. Empty while locked. Thread-safe.
/// </summary>
public sealed class ListenerTable
{
    private ImmutableArray<PublishedListener> _listeners = [];

    /// <summary>Raised after each change.</summary>
    public ChangeSignal Changed { get; } = new();

    public ImmutableArray<PublishedListener> Current => _listeners;

    public PublishedListener? FindByPublicPort(int port) => Current.FirstOrDefault(l => l.PublicPort == port);

    public void Replace(IEnumerable<PublishedListener> listeners)
    {
        var next = listeners.OrderBy(l => l.Name, StringComparer.Ordinal).ToImmutableArray();
        if (ImmutableInterlocked.InterlockedExchange(ref _listeners, next).SequenceEqual(next)) return;
        Changed.Raise();
    }
}
