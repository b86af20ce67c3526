using System.Globalization;

namespace Piccolo.Core.Audit;

/// <summary>The ends of one chain of entries. Its entries are numbered from 1; their sequence numbers are those of the whole log.</summary>
/// <param name="First">The number in the chain of the oldest entry that is kept.</param>
/// <param name="Next">The number that the next entry gets.</param>
/// <param name="Anchor">The hash of the entry before <paramref name="First"/>.</param>
/// <param name="Last">The hash of the newest entry.</param>
/// <param name="Kind">The one kind of refusal that is in it; null for the chain of everything else.</param>
/// <param name="Newest">The sequence number of the newest entry; in a head written before there were several chains it is missing and equals its
/// number.</param>
internal sealed record AuditHead(long First, long Next, string Anchor, string Last, string? Kind = null, long? Newest = null)
{
    private const string MainKey = "head";

    internal string Key => Kind ?? MainKey;

    internal bool IsOfRefusals => Kind is not null;

    internal long NewestSequence => Newest ?? Next - 1;

    public static AuditHead Empty(string key) => new(1, 1, AuditEntry.Genesis, AuditEntry.Genesis, key == MainKey ? null : key);

    /// <summary>The key of the chain that an event of this kind belongs to.</summary>
    public static string KeyFor(string kind) => AuditKinds.IsRefusal(kind) ? kind : MainKey;

    /// <summary>The key of an entry's row.</summary>
    public string KeyOf(long index) => string.Create(CultureInfo.InvariantCulture, $"{(IsOfRefusals ? Kind + "/" : "")}{index}");
}
