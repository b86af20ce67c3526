using System.Collections.Immutable;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Core.Certificates.Ledger;

/// <summary>One moment of the ledger.</summary>
internal sealed record LedgerSnapshot(
    bool IsLoaded, ImmutableDictionary<string, HeldCertificate> Certificates, ImmutableDictionary<string, AttemptRecord> Attempts)
{
    public static readonly LedgerSnapshot Empty = new(
        false, ImmutableDictionary.Create<string, HeldCertificate>(StringComparer.Ordinal),
        ImmutableDictionary.Create<string, AttemptRecord>(StringComparer.Ordinal));

    public ImmutableDictionary<string, RenewalRequest> RenewalRequests { get; init; } =
        ImmutableDictionary.Create<string, RenewalRequest>(StringComparer.Ordinal);

    public ImmutableDictionary<string, RevocationRecord> Revocations { get; init; } =
        ImmutableDictionary.Create<string, RevocationRecord>(StringComparer.Ordinal);

    /// <summary>By directory.</summary>
    public ImmutableDictionary<Uri, OrderBudget> Budgets { get; init; } = ImmutableDictionary<Uri, OrderBudget>.Empty;

    /// <summary>What serves <paramref name="wanted"/>: its own certificate, else one that another id has for the very same names.</summary>
    public HeldCertificate? HeldFor(WantedCertificate wanted) =>
        Certificates.GetValueOrDefault(wanted.Id) is { } own && own.Covers(wanted)
            ? own
            : Certificates.Values.FirstOrDefault(c => c.Record.Names.Count == wanted.Names.Length && c.Covers(wanted));

    /// <summary>Whether an order at <paramref name="directory"/> would renew what that very CA has issued: for its limits nothing else is a renewal.</summary>
    public bool IsRenewal(WantedCertificate wanted, Uri? directory) => directory is not null && HeldFor(wanted)?.Record.Directory == directory;

    /// <summary>Whether the owner asked for a new one, and no attempt has begun since.</summary>
    public bool IsRequested(WantedCertificate wanted) =>
        RenewalRequests.GetValueOrDefault(wanted.Id) is { } request && (AttemptFor(wanted) is not { } attempt || attempt.LastAttempt < request.At);

    /// <summary>The ledger's row, where it is about these very names.</summary>
    public AttemptRecord? AttemptFor(WantedCertificate wanted) =>
        Attempts.GetValueOrDefault(wanted.Id) is { } known && known.IsFor(wanted) ? known : null;
}
