using System.Globalization;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Audit;

/// <summary>
/// Who did what, hash-chained and sealed in the control store. An event is durable when <see cref="Record"/> returns, unless the store is sealed or takes
/// no writes: then it waits in memory, bounded, for the next chance. Refusals have chains of their own, one per kind, so that strangers push out nothing
/// but older refusals of the same kind. Recording never fails a request, and wakes no loop that watches the store. Thread-safe.
/// </summary>
public sealed class AuditLog(SealedStore store, TimeProvider time, ILogger<AuditLog> logger)
{
    /// <summary>Entries that are kept of everything but refusals. A chain is anchored at the newest one that fell out of it.</summary>
    public const int Kept = 10_000;

    /// <summary>Entries that are kept of each kind of refusal.</summary>
    public const int KeptRefusals = 1_000;

    /// <summary>Events that wait for the store. When there are more the oldest go, and an entry says how many.</summary>
    public const int MaxWaiting = 256;

    /// <summary>Refusals of one kind that wait for the store, beside the other events. When there are more the later ones are only counted.</summary>
    public const int MaxWaitingRefusals = 32;

    public const int MaxPageEntries = 500;

    /// <summary>How long refusals are counted before one entry tells their number.</summary>
    public static readonly TimeSpan CountingTime = TimeSpan.FromMinutes(1);

    private static readonly StoreCollection<AuditEntry> Entries = new("audit") { IsQuiet = true };
    private static readonly StoreCollection<AuditHead> Heads = new("audit-head") { IsQuiet = true };

    private readonly Lock _gate = new();
    private readonly List<AuditEvent> _waiting = [];
    private readonly RefusalTally _tally = new(time);
    private int _dropped;

    /// <summary>Raised after entries were written.</summary>
    public ChangeSignal Changed { get; } = new();

    /// <summary>How many entries of a chain are kept; smaller only in tests.</summary>
    internal int Retention { get; init; } = Kept;

    /// <summary>Raised when refusals begin to be counted.</summary>
    internal ChangeSignal Counting { get; } = new();

    /// <summary>In what time counted refusals are to be written; null when there are none.</summary>
    internal TimeSpan? CountedDueIn
    {
        get
        {
            lock (_gate) return _tally.Age is not { } age ? null : age < CountingTime ? CountingTime - age : TimeSpan.Zero;
        }
    }

    public void Record(AuditEvent @event)
    {
        lock (_gate)
        {
            Enqueue(AuditText.Bound(@event));
            // After a lock nobody can write: what was counted until then goes with it.
            WriteWaiting(withCounted: @event.Kind == AuditKinds.Locked);
        }
    }

    /// <summary>As <see cref="Record"/> for the first in a minute of this kind, class of origin and network (/24 or /64); the others are counted.</summary>
    public void RecordFirst(AuditEvent @event)
    {
        lock (_gate)
        {
            if (_tally.IsFirst(AuditText.Bound(@event))) Record(@event);
            Counting.Raise();
        }
    }

    /// <summary>For an attempt that was refused unseen: counted in memory, and told by one entry a minute.</summary>
    public void Count(AuditEvent @event)
    {
        lock (_gate) _tally.Add(AuditText.Bound(@event));
        Counting.Raise();
    }

    /// <summary>Writes what has waited for the store.</summary>
    /// <param name="withCounted">Also the number of refusals that are being counted, although their minute is not over.</param>
    public void WriteWaiting(bool withCounted = false)
    {
        lock (_gate)
        {
            if (!store.IsOpen) return;
            withCounted |= CountedDueIn == TimeSpan.Zero;
            List<AuditEvent> events = [.. _waiting];
            if (_dropped > 0) events.Insert(0, Dropped());
            if (withCounted) events.AddRange(_tally.ToEvents());
            try
            {
                if (events.Count > 0) store.Commit(transaction => Append(transaction, events));
                _waiting.Clear();
                _dropped = 0;
                if (withCounted) _tally.Clear();
            }
            catch (StoreSealedException)
            {
                // Locked between the question and the commit: they wait on.
                return;
            }
            catch (StoreFaultException e)
            {
                logger.NotWritten(_waiting.Count, e.Message);
                return;
            }
            if (events.Count == 0) return;
        }
        Changed.Raise();
    }

    /// <summary>Newest first.</summary>
    /// <param name="before">Only entries before this sequence number; null from the newest on.</param>
    public IReadOnlyList<AuditEntry> Page(int limit, long? before = null)
    {
        var page = new List<AuditEntry>();
        var chains = store.List(Heads).Select(head => Backwards(head, before ?? long.MaxValue).GetEnumerator()).Where(chain => chain.MoveNext()).ToList();
        while (page.Count < Math.Min(limit, MaxPageEntries) && chains.MaxBy(chain => chain.Current.Sequence) is { } newest)
        {
            page.Add(newest.Current);
            if (!newest.MoveNext()) chains.Remove(newest);
        }
        return page;
    }

    /// <summary>Walks every chain, from its anchor to its newest entry, while others read and write.</summary>
    public AuditVerification Verify()
    {
        var heads = store.List(Heads);
        var broken = heads.Select(FindBroken).Min();
        var first = heads.Select(head => Get(head, head.First)?.Sequence).Min() ?? 1;
        return new AuditVerification(broken is null, heads.Sum(head => head.Next - head.First), first, broken);
    }

    /// <returns>The sequence number of the first entry that does not hold, or where one is missing; null when the chain is whole.</returns>
    private long? FindBroken(AuditHead head)
    {
        var (index, previous, sequence) = (head.First, head.Anchor, 0L);
        while (index < head.Next)
        {
            var entry = Get(head, index);
            if (entry?.Holds(previous) == true)
            {
                (index, previous, sequence) = (index + 1, entry.Hash, entry.Sequence);
                continue;
            }
            // It may have fallen out since the head was read.
            if (store.Get(Heads, head.Key) is not { } now || now.First <= index) return entry?.Sequence ?? sequence + 1;
            (index, previous) = (now.First, now.Anchor);
        }
        return index > head.Next || previous == head.Last ? null : sequence;
    }

    private IEnumerable<AuditEntry> Backwards(AuditHead head, long before)
    {
        // The first index that is not before it, by halving. What fell out meanwhile was before it.
        var (low, high) = (head.First, head.Next);
        while (low < high && before != long.MaxValue)
        {
            var middle = low + ((high - low) / 2);
            if (Get(head, middle) is { } entry && entry.Sequence >= before) high = middle;
            else low = middle + 1;
        }
        for (var index = high - 1; index >= head.First; index--)
        {
            // Entries may fall out while a page is read.
            if (Get(head, index) is { } entry) yield return entry;
        }
    }

    private AuditEntry? Get(AuditHead head, long index) => store.Get(Entries, head.KeyOf(index));

    private void Enqueue(AuditEvent @event)
    {
        if (AuditKinds.IsRefusal(@event.Kind) && _waiting.Count(e => e.Kind == @event.Kind) >= MaxWaitingRefusals)
        {
            _tally.Add(@event);
            return;
        }
        _waiting.Add(@event);
        if (_waiting.Count(e => !AuditKinds.IsRefusal(e.Kind)) <= MaxWaiting) return;
        _waiting.RemoveAt(_waiting.FindIndex(e => !AuditKinds.IsRefusal(e.Kind)));
        _dropped++;
    }

    private void Append(StoreTransaction transaction, IReadOnlyList<AuditEvent> events)
    {
        var heads = transaction.List(Heads).ToDictionary(head => head.Key);
        var sequence = heads.Values.Select(head => head.NewestSequence).DefaultIfEmpty().Max();
        foreach (var chain in events.Select(@event => AuditEntry.Number(++sequence, @event)).GroupBy(e => AuditHead.KeyFor(e.Event.Kind)).ToList())
        {
            var head = heads.GetValueOrDefault(chain.Key) ?? AuditHead.Empty(chain.Key);
            foreach (var numbered in chain)
            {
                var entry = numbered.After(head.Last);
                transaction.Put(Entries, head.KeyOf(head.Next), entry);
                head = head with { Next = head.Next + 1, Last = entry.Hash, Newest = entry.Sequence };
            }
            transaction.Put(Heads, head.Key, Trim(transaction, head));
        }
    }

    private AuditHead Trim(StoreTransaction transaction, AuditHead head)
    {
        var kept = Math.Min(Retention, head.IsOfRefusals ? KeptRefusals : Kept);
        for (; head.Next - head.First > kept; head = head with { First = head.First + 1 })
        {
            if (transaction.Get(Entries, head.KeyOf(head.First)) is { } oldest) head = head with { Anchor = oldest.Hash };
            transaction.Delete(Entries, head.KeyOf(head.First));
        }
        return head;
    }

    private AuditEvent Dropped() => new(time.GetUtcNow(), AuditKinds.Dropped, "appliance", "appliance", null,
        new Dictionary<string, string> { ["count"] = _dropped.ToString(CultureInfo.InvariantCulture) });
}
