using System.Globalization;
using Microsoft.Extensions.Logging;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Audit;

/// <summary>
/// Who did what, hash-chained and sealed in the control store. An event is durable when <see cref="Record"/> returns, unless the store is sealed or takes
/// no writes: then it waits in memory, bounded, for the next chance. Recording never fails a request. Thread-safe.
/// </summary>
public sealed class AuditLog(SealedStore store, TimeProvider time, ILogger<AuditLog> logger)
{
    /// <summary>Entries that are kept. The chain is anchored at the newest one that fell out.</summary>
    public const int Kept = 10_000;

    /// <summary>Events that wait for the store. When there are more the oldest go, and an entry says how many.</summary>
    public const int MaxWaiting = 256;

    public const int MaxPage = 500;

    private const string HeadKey = "head";
    private static readonly StoreCollection<AuditEntry> Entries = new("audit");
    private static readonly StoreCollection<AuditHead> Heads = new("audit-head");

    private readonly Lock _gate = new();
    private readonly Queue<AuditEvent> _waiting = new();
    private int _dropped;

    /// <summary>How many entries are kept; smaller only in tests.</summary>
    internal int Retention { get; init; } = Kept;

    public void Record(AuditEvent @event)
    {
        lock (_gate)
        {
            _waiting.Enqueue(AuditText.Bound(@event));
            while (_waiting.Count > MaxWaiting)
            {
                _waiting.Dequeue();
                _dropped++;
            }
            WriteWaiting();
        }
    }

    /// <summary>Writes what has waited for the store.</summary>
    public void WriteWaiting()
    {
        lock (_gate)
        {
            if ((_waiting.Count == 0 && _dropped == 0) || !store.IsOpen) return;
            List<AuditEvent> events = [.. _waiting];
            if (_dropped > 0) events.Insert(0, Dropped());
            try
            {
                store.Commit(transaction => Append(transaction, events));
                _waiting.Clear();
                _dropped = 0;
            }
            catch (StoreSealedException)
            {
                // Locked between the question and the commit: they wait on.
            }
            catch (StoreFaultException e)
            {
                logger.NotWritten(_waiting.Count, e.Message);
            }
        }
    }

    /// <summary>Newest first.</summary>
    /// <param name="before">Only entries before this sequence number; null from the newest on.</param>
    public IReadOnlyList<AuditEntry> Page(int limit, long? before = null)
    {
        var head = store.Get(Heads, HeadKey) ?? AuditHead.Empty;
        var page = new List<AuditEntry>();
        for (var sequence = Math.Min(before ?? head.Next, head.Next) - 1; sequence >= head.First && page.Count < Math.Min(limit, MaxPage); sequence--)
        {
            // Entries may fall out while a page is read.
            if (store.Get(Entries, Key(sequence)) is { } entry) page.Add(entry);
        }
        return page;
    }

    /// <summary>Walks the whole chain, from its anchor to the newest entry.</summary>
    public AuditVerification Verify()
    {
        lock (_gate)
        {
            // Under the gate nothing is appended, so that head and entries are of one moment.
            var head = store.Get(Heads, HeadKey) ?? AuditHead.Empty;
            var previous = head.Anchor;
            for (var sequence = head.First; sequence < head.Next; sequence++)
            {
                if (store.Get(Entries, Key(sequence)) is not { } entry || !entry.Holds(sequence, previous))
                    return new AuditVerification(false, head.Next - head.First, head.First, sequence);
                previous = entry.Hash;
            }
            var whole = previous == head.Last;
            return new AuditVerification(whole, head.Next - head.First, head.First, whole ? null : head.Next - 1);
        }
    }

    private void Append(StoreTransaction transaction, IReadOnlyList<AuditEvent> events)
    {
        var head = transaction.Get(Heads, HeadKey) ?? AuditHead.Empty;
        foreach (var @event in events)
        {
            var entry = AuditEntry.After(head.Next, head.Last, @event);
            transaction.Put(Entries, Key(entry.Sequence), entry);
            head = head with { Next = head.Next + 1, Last = entry.Hash };
        }
        for (; head.Next - head.First > Retention; head = head with { First = head.First + 1 })
        {
            if (transaction.Get(Entries, Key(head.First)) is { } oldest) head = head with { Anchor = oldest.Hash };
            transaction.Delete(Entries, Key(head.First));
        }
        transaction.Put(Heads, HeadKey, head);
    }

    private AuditEvent Dropped() => new(time.GetUtcNow(), AuditKinds.Dropped, "appliance", "appliance", null,
        new Dictionary<string, string> { ["count"] = _dropped.ToString(CultureInfo.InvariantCulture) });

    private static string Key(long sequence) => sequence.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The ends of the chain.</summary>
/// <param name="First">The oldest entry that is kept.</param>
/// <param name="Next">The number that the next entry gets.</param>
/// <param name="Anchor">The hash of the entry before <paramref name="First"/>.</param>
/// <param name="Last">The hash of the newest entry.</param>
internal sealed record AuditHead(long First, long Next, string Anchor, string Last)
{
    public static readonly AuditHead Empty = new(1, 1, AuditEntry.Beginning, AuditEntry.Beginning);
}
