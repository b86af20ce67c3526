using Piccolo.Core.Audit;

namespace Piccolo.Api.Audit;

/// <param name="Origin">Where the connection came from: <c>loopback</c>, <c>lan</c>, <c>forwarded</c>, <c>tunnel</c>, <c>node</c> or <c>appliance</c>.</param>
/// <param name="Address">The client as far as it is known.</param>
/// <param name="Hash">SHA-256 over the entry and the hash of the one before.</param>
public sealed record AuditEntryResponse(
    long Sequence, DateTimeOffset Time, string Kind, string Actor, string Origin, string? Address, IReadOnlyDictionary<string, string> Detail, string Hash);

/// <param name="Before">For the next, older page: absent when this was the last.</param>
public sealed record AuditResponse(IReadOnlyList<AuditEntryResponse> Entries, long? Before);

/// <param name="First">The sequence number of the oldest entry that is kept.</param>
/// <param name="BrokenAt">The first entry that is missing or changed; absent when the chain is whole.</param>
public sealed record AuditVerificationResponse(bool Whole, long Entries, long First, long? BrokenAt);

internal static class AuditMapping
{
    public static AuditEntryResponse ToResponse(this AuditEntry entry) => new(
        entry.Sequence, entry.Event.Time, entry.Event.Kind, entry.Event.Actor, entry.Event.Origin, entry.Event.Address, entry.Event.Detail, entry.Hash);
}
