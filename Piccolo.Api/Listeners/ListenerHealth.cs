using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Listeners;

/// <param name="Reason">Why it does not answer; null when it does.</param>
/// <param name="Since">When it began to be so.</param>
internal sealed record ProbedListener(bool Answers, string? Reason, DateTimeOffset Since);

/// <summary>
/// What the last probe of each listener has shown. Absent: its app does not run, or nobody has tried yet. Snapshots are immutable; thread-safe.
/// </summary>
internal sealed class ListenerHealth(TimeProvider time)
{
    private ImmutableDictionary<string, ProbedListener> _byName = ImmutableDictionary.Create<string, ProbedListener>(StringComparer.Ordinal);

    /// <summary>Raised after each change.</summary>
    public ChangeSignal Changed { get; } = new();

    public ProbedListener? Find(string listener) => Volatile.Read(ref _byName).GetValueOrDefault(listener);

    /// <summary>Only <see cref="ListenerProbeLoop"/> writes.</summary>
    /// <returns>Whether this is news.</returns>
    internal bool Set(string listener, string? failure)
    {
        var known = Find(listener);
        var news = known is null || known.Answers != (failure is null);
        if (!news && known!.Reason == failure) return false;
        Replace(_byName.SetItem(listener, new ProbedListener(failure is null, failure, news ? time.GetUtcNow() : known!.Since)));
        return news;
    }

    internal void Keep(IReadOnlySet<string> listeners) => Replace(_byName.RemoveRange(_byName.Keys.Where(k => !listeners.Contains(k))));

    private void Replace(ImmutableDictionary<string, ProbedListener> next)
    {
        if (ReferenceEquals(next, _byName)) return;
        Volatile.Write(ref _byName, next);
        Changed.Raise();
    }
}
