using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Audit;

/// <summary>Something that somebody did to the appliance, or tried to.</summary>
/// <param name="Kind">Stable, such as <c>app.installed</c>; see <see cref="AuditKinds"/>.</param>
/// <param name="Actor"><c>owner</c>, <c>token:&lt;name&gt;</c>, <c>anonymous</c> or <c>appliance</c>.</param>
/// <param name="Origin">The class of the connection's origin, such as <c>lan</c>.</param>
/// <param name="Address">The client as far as it is known.</param>
/// <param name="Detail">Never secrets.</param>
public sealed record AuditEvent(
    DateTimeOffset Time, string Kind, string Actor, string Origin, string? Address, IReadOnlyDictionary<string, string> Detail);

/// <summary>An event in its place of the log.</summary>
/// <param name="Previous">The hash of the entry before it in its chain, lower-case hex.</param>
/// <param name="Hash">SHA-256 over everything else.</param>
public sealed record AuditEntry(long Sequence, AuditEvent Event, string Previous, string Hash)
{
    internal const string Genesis = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>An entry that has its number but not yet its place in a chain.</summary>
    internal static AuditEntry Number(long sequence, AuditEvent @event) => new(sequence, @event, "", "");

    internal AuditEntry After(string previous) => this with { Previous = previous, Hash = HashOf(Sequence, previous, Event) };

    internal bool Holds(string previous) => Previous == previous && Hash == HashOf(Sequence, previous, Event);

    /// <summary>Every part with its length before it, so that no two events read alike.</summary>
    private static string HashOf(long sequence, string previous, AuditEvent @event)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, sequence);
        hash.AppendData(number);
        BinaryPrimitives.WriteInt64BigEndian(number, @event.Time.UtcTicks);
        hash.AppendData(number);
        foreach (var text in (string[])["piccolo/audit/v1", previous, @event.Kind, @event.Actor, @event.Origin, @event.Address ?? ""]) Append(hash, text);
        foreach (var (key, value) in @event.Detail.OrderBy(d => d.Key, StringComparer.Ordinal))
        {
            Append(hash, key);
            Append(hash, value);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}

/// <summary>What was found by <see cref="AuditLog.Verify"/>.</summary>
/// <param name="Broken">The first place that does not hold; null when all do.</param>
public sealed record AuditVerification(bool Whole, long Entries, long First, long? Broken);
