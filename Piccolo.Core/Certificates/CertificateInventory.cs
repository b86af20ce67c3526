using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>How a wanted certificate is.</summary>
public enum CertificateStatus
{
    /// <summary>Held, and the last attempt did not fail.</summary>
    Ok,

    /// <summary>Not held; being ordered or waiting for its turn.</summary>
    Pending,

    /// <summary>The last attempt failed. What is held, if anything, still serves: see the dates.</summary>
    Error,

    /// <summary>Held and being ordered anew.</summary>
    Renewing,
}

/// <summary>One wanted certificate. Everything about a certificate comes from the leaf that is held, and is null where none is.</summary>
public sealed record CertificateEntry(string Id, ImmutableArray<DomainName> Names, CertificateStatus Status)
{
    public string? Issuer { get; init; }

    public string? Serial { get; init; }

    public DateTimeOffset? IssuedAt { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? NotAfter { get; init; }

    public DateTimeOffset? RenewAt { get; init; }

    public string? FingerprintSha256 { get; init; }

    public DateTimeOffset? LastAttempt { get; init; }

    /// <summary>When the next order begins, a renewal included; null while one is under way or cannot begin, for instance because the tunnel is down.</summary>
    public DateTimeOffset? NextAttempt { get; init; }

    /// <summary>Failed attempts since the last success.</summary>
    public int Failures { get; init; }

    public AttemptError? LastError { get; init; }
}

/// <summary>The truth about the wanted certificates, for the API. Empty while the store is closed. Thread-safe.</summary>
public sealed class CertificateInventory
{
    private readonly RenewalScheduler _scheduler;
    private readonly CertificateLedger _ledger;

    internal CertificateInventory(RenewalScheduler scheduler, CertificateLedger ledger) => (_scheduler, _ledger) = (scheduler, ledger);

    /// <summary>Raised after each change of the list.</summary>
    public ChangeSignal Changed => _scheduler.Changed;

    public ImmutableArray<CertificateEntry> List()
    {
        var ledger = _ledger.Snapshot;
        return ledger.IsLoaded ? [.. _scheduler.Wanted.OrderBy(w => w.Id, StringComparer.Ordinal).Select(w => Describe(w, ledger))] : [];
    }

    public CertificateEntry? Find(string id)
    {
        var ledger = _ledger.Snapshot;
        return ledger.IsLoaded && _scheduler.Wanted.FirstOrDefault(w => w.Id == id) is { } wanted ? Describe(wanted, ledger) : null;
    }

    private CertificateEntry Describe(WantedCertificate wanted, LedgerSnapshot ledger)
    {
        var held = ledger.Certificates.GetValueOrDefault(wanted.Id) is { } certificate && certificate.Covers(wanted) ? certificate : null;
        var attempt = ledger.Attempts.GetValueOrDefault(wanted.Id) is { } known && DuePolicy.IsFor(known, wanted) ? known : null;
        var isInFlight = _scheduler.IsInFlight(wanted.Id);
        var status = (isInFlight, held, attempt?.LastError) switch
        {
            (true, null, _) => CertificateStatus.Pending,
            (true, _, _) => CertificateStatus.Renewing,
            (_, _, not null) => CertificateStatus.Error,
            (_, null, _) => CertificateStatus.Pending,
            _ => CertificateStatus.Ok,
        };
        return new CertificateEntry(wanted.Id, wanted.Names, status)
        {
            Issuer = held?.Facts.Issuer,
            Serial = held?.Facts.Serial,
            IssuedAt = held?.Record.IssuedAt,
            NotBefore = held?.Facts.NotBefore,
            NotAfter = held?.Facts.NotAfter,
            RenewAt = held?.RenewAt,
            FingerprintSha256 = held?.Facts.FingerprintSha256,
            LastAttempt = attempt?.LastAttempt ?? held?.Record.IssuedAt,
            NextAttempt = isInFlight ? null : _scheduler.NextAttempt(wanted, ledger),
            Failures = attempt?.LastError is null ? 0 : attempt.Failures,
            LastError = attempt?.LastError,
        };
    }
}
