using System.Collections.Immutable;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>The truth about the wanted certificates, for the API. Empty while the store is closed. Thread-safe.</summary>
public sealed class CertificateInventory
{
    private readonly RenewalScheduler _scheduler;
    private readonly CertificateLedger _ledger;
    private readonly ICertificateStore _store;
    private readonly ImmutableArray<(AcmeAccounts Accounts, AcmeChannel Channel)> _authorities;

    internal CertificateInventory(
        RenewalScheduler scheduler, CertificateLedger ledger, ICertificateStore store,
        ImmutableArray<(AcmeAccounts Accounts, AcmeChannel Channel)> authorities) =>
        (_scheduler, _ledger, _store, _authorities) = (scheduler, ledger, store, authorities);

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

    /// <summary>What was said in the last attempts for a certificate, newest first; null where none of this id is wanted.</summary>
    /// <exception cref="CertificateStoreClosedException">Locked.</exception>
    public IReadOnlyList<OrderTranscript>? Transcript(string id) => _scheduler.Wanted.Any(w => w.Id == id) ? _store.Transcript(id)?.Orders ?? [] : null;

    /// <summary>Our accounts, the first CA's first. Reads what is stored; asks no CA.</summary>
    public ImmutableArray<CertificateAccount> Accounts()
    {
        try
        {
            return
            [
                .. _authorities.Select(a => new CertificateAccount(
                    a.Channel.DirectoryUrl, a.Accounts.KnownUrl(), a.Channel.KnownDirectory?.CaaIdentities ?? [])),
            ];
        }
        catch (CertificateStoreClosedException)
        {
            // Locked between the look and the read.
            return [.. _authorities.Select(a => new CertificateAccount(a.Channel.DirectoryUrl, null, []))];
        }
    }

    private CertificateEntry Describe(WantedCertificate wanted, LedgerSnapshot ledger)
    {
        var held = ledger.HeldFor(wanted);
        var attempt = ledger.AttemptFor(wanted);
        var isInFlight = _scheduler.IsInFlight(wanted.Id);
        var status = (isInFlight, held, attempt?.LastError) switch
        {
            (true, null, _) => CertificateStatus.Pending,
            (true, _, _) => CertificateStatus.Renewing,
            (_, _, not null) => CertificateStatus.Error,
            (_, null, _) => CertificateStatus.Pending,
            _ => CertificateStatus.Ok,
        };
        var (next, heldBackBy) = isInFlight ? (null, null) : _scheduler.NextAttempt(wanted, ledger);
        return new CertificateEntry(wanted.Id, wanted.Names, status)
        {
            Issuer = held?.Facts.Issuer,
            Serial = held?.Facts.Serial,
            KeyType = held?.KeyType,
            Profile = held?.Record.Profile,
            Directory = held?.Record.Directory,
            Challenge = attempt?.Challenge ?? held?.Record.Challenge ?? AcmeOptions.Http01,
            IssuedAt = held?.Record.IssuedAt,
            NotBefore = held?.Facts.NotBefore,
            NotAfter = held?.Facts.NotAfter,
            Renewal = held?.Renewal,
            FingerprintSha256 = held?.Facts.FingerprintSha256,
            LastShown = held?.Bundle.LastShown,
            LastAttempt = attempt?.LastAttempt ?? held?.Record.IssuedAt,
            NextAttempt = next,
            HeldBackBy = heldBackBy,
            Failures = attempt?.LastError is null ? 0 : attempt.Failures,
            FailingSince = attempt?.FailingSince,
            LastError = attempt?.LastError is { } error && heldBackBy is not (null or "not_reachable")
                ? error with { NextStep = NextSteps.HeldBack(heldBackBy, next!.Value) }
                : attempt?.LastError,
        };
    }
}
