using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Certificates.Serving;

namespace Piccolo.Core.Certificates.Ledger;

/// <summary>
/// What is stored about certificates and attempts, in memory while the store is open, and the only writer of both. Keeps the table of handshakes in
/// step. Snapshots are immutable; thread-safe.
/// </summary>
internal sealed class CertificateLedger(
    ICertificateStore store, ServerCertificateTable table, AcmeLimitsOptions limits, TimeProvider time, Func<double> random, ILogger<CertificateLedger> logger,
    Func<CertificateRecord, HeldCertificate>? hold = null)
{
    private readonly Func<CertificateRecord, HeldCertificate> _hold = hold ?? HeldCertificate.From;
    private readonly Lock _gate = new();
    private LedgerSnapshot _snapshot = LedgerSnapshot.Empty;

    public LedgerSnapshot Snapshot => Volatile.Read(ref _snapshot);

    public void Load()
    {
        lock (_gate)
        {
            var hints = store.Hints().ToDictionary(h => h.Id, StringComparer.Ordinal);
            var certificates = LedgerSnapshot.Empty.Certificates.ToBuilder();
            foreach (var record in store.Certificates())
            {
                if (TryHold(record) is { } held) certificates[record.Id] = held with { Hint = hints.GetValueOrDefault(record.Id) };
            }
            var attempts = LedgerSnapshot.Empty.Attempts.AddRange(store.Attempts().Select(a => KeyValuePair.Create(a.Id, a)));
            Swap(new LedgerSnapshot(true, certificates.ToImmutable(), attempts)
            {
                RenewalRequests = LedgerSnapshot.Empty.RenewalRequests.AddRange(store.RenewalRequests().Select(a => KeyValuePair.Create(a.Id, a))),
                Revocations = LedgerSnapshot.Empty.Revocations.AddRange(store.Revocations().Select(r => KeyValuePair.Create(r.Serial, r))),
                Budgets = store.Budgets()
                    .ToImmutableDictionary(b => b.Directory, b => new OrderBudget(limits, b.Buckets.ToImmutableDictionary(StringComparer.Ordinal))),
            });
            logger.CertificatesLoaded(certificates.Count);
        }
    }

    /// <summary>Takes everything out of use and wipes the keys that are still in our hands.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (var attempt in _snapshot.Attempts.Values) Wipe(attempt.Order);
            Swap(LedgerSnapshot.Empty);
            logger.CertificatesClosed();
        }
    }

    public OrderBudget Budget(Uri directory) => Snapshot.Budgets.GetValueOrDefault(directory) ?? OrderBudget.Empty(limits);

    /// <summary>The owner's request; kept until a certificate comes of it, restarts or not.</summary>
    public void RequestRenewal(string id, bool revoke)
    {
        lock (_gate)
        {
            if (!_snapshot.IsLoaded) throw new CertificateStoreClosedException();
            // Who once said that the old one is to go does not take that back by asking again.
            var request = new RenewalRequest(id, revoke || (_snapshot.RenewalRequests.GetValueOrDefault(id)?.Revoke ?? false), time.GetUtcNow());
            store.Put(request);
            Volatile.Write(ref _snapshot, _snapshot with { RenewalRequests = _snapshot.RenewalRequests.SetItem(id, request) });
        }
    }

    /// <summary>Writes an attempt down before it begins, as if it had been interrupted: whoever restarts in its middle waits, or takes its order up.</summary>
    public AttemptRecord Begin(WantedCertificate wanted, Uri directory, string challenge)
    {
        lock (_gate)
        {
            var names = wanted.Names.Select(n => n.Value).ToList();
            var before = _snapshot.AttemptFor(wanted);
            var failures = (before?.Failures ?? 0) + 1;
            var now = time.GetUtcNow();
            var next = now + BackoffPolicy.WaitAfter(AcmeFailureClass.Interrupted, "", failures, null, random(), _snapshot.HeldFor(wanted)?.Lifetime);
            return Write(new AttemptRecord(
                wanted.Id, names, now, failures, before?.ConsecutiveFailures ?? 0, next, Running: true, before?.LastError, before?.Order)
            {
                FailingSince = before?.FailingSince,
                Directory = directory,
                Challenge = challenge,
                WithoutReplaces = before?.WithoutReplaces ?? false,
                Placing = before is { Placing: true } && before.Directory == directory,
            });
        }
    }

    /// <summary>Before the request that makes an order: what it spends of the CA's limits is spent, whether or not an answer comes.</summary>
    public void Placing(WantedCertificate wanted)
    {
        lock (_gate)
        {
            var attempt = Current(wanted.Id);
            Write(attempt with { Placing = true }, Budget(attempt.Directory!).Ordered(time.GetUtcNow()));
        }
    }

    /// <summary>The CA issued the certificate of the current order. Counts once for each order, however often its end is met.</summary>
    public void Issued(WantedCertificate wanted)
    {
        lock (_gate)
        {
            var attempt = Current(wanted.Id);
            if (attempt.Order is { IsCounted: true }) return;
            var budget = Budget(attempt.Directory!).Issued(wanted.Names, _snapshot.IsRenewal(wanted, attempt.Directory), time.GetUtcNow());
            Write(attempt with { Order = attempt.Order is { } order ? order with { IsCounted = true } : null }, budget);
        }
    }

    public void Placed(string id, PendingOrder? order)
    {
        lock (_gate)
        {
            var attempt = Current(id);
            Wipe(attempt.Order);
            Write(attempt with { Order = order, Placing = false });
        }
    }

    public void WithoutReplaces(string id)
    {
        lock (_gate) Write(Current(id) with { WithoutReplaces = true });
    }

    /// <summary>Stores the certificate; it serves from the moment at which it is durable.</summary>
    public HeldCertificate Complete(CertificateRecord record)
    {
        // Held first: key and chain that do not fit together throw here and are not stored.
        var held = _hold(record);
        lock (_gate)
        {
            var began = Current(record.Id).LastAttempt;
            var request = _snapshot.RenewalRequests.GetValueOrDefault(record.Id);
            // What was asked for while this order ran waits for the next one.
            var done = request is not null && request.At <= began;
            var revocation = done && request!.Revoke && _snapshot.Certificates.GetValueOrDefault(record.Id) is { } old
                ? new RevocationRecord(old.Facts.Serial, record.Id, old.Bundle.Leaf.RawData, old.Record.Directory, 0, time.GetUtcNow())
                : null;
            store.Complete(record, revocation, requestDone: done);
            CryptographicOperations.ZeroMemory(record.KeyPkcs8);
            Swap(_snapshot with
            {
                Certificates = _snapshot.Certificates.SetItem(record.Id, held),
                Attempts = _snapshot.Attempts.Remove(record.Id),
                RenewalRequests = done ? _snapshot.RenewalRequests.Remove(record.Id) : _snapshot.RenewalRequests,
                Revocations = revocation is null ? _snapshot.Revocations : _snapshot.Revocations.SetItem(revocation.Serial, revocation),
            });
        }
        return held;
    }

    public AttemptRecord Fail(WantedCertificate wanted, AcmeFailure failure)
    {
        lock (_gate)
        {
            var attempt = Current(wanted.Id);
            var now = time.GetUtcNow();
            var consecutive = attempt.LastError?.Class == failure.Class ? attempt.ConsecutiveFailures + 1 : 1;
            var next = now + BackoffPolicy.WaitAfter(
                failure.Class, failure.Code, consecutive, failure.RetryAfter, random(), _snapshot.HeldFor(wanted)?.Lifetime);
            var order = attempt.Order;
            if (!CertificateIssuer.KeepsOrder(failure))
            {
                Wipe(order);
                order = null;
            }
            var budget = failure is { Class: AcmeFailureClass.ChallengeFailed, Name: { } name } ? Budget(attempt.Directory!).ValidationFailed(name, now) : null;
            return Write(
                attempt with
                {
                    ConsecutiveFailures = consecutive,
                    NextAttempt = next,
                    Running = false,
                    LastError = NextSteps.Describe(failure),
                    Order = order,
                    FailingSince = attempt.FailingSince ?? attempt.LastAttempt,
                    // A refusal that came says that no order was made; whatever else ended the wait for it leaves the question open.
                    Placing = attempt.Placing && failure.Status is null,
                },
                budget);
        }
    }

    public HeldCertificate? Hint(RenewalHintRecord hint)
    {
        lock (_gate)
        {
            if (_snapshot.Certificates.GetValueOrDefault(hint.Id) is not { } held || held.Facts.FingerprintSha256 != hint.Fingerprint) return null;
            store.Put(hint);
            var next = held with { Hint = hint };
            Volatile.Write(ref _snapshot, _snapshot with { Certificates = _snapshot.Certificates.SetItem(hint.Id, next) });
            return next;
        }
    }

    public void Revoking(RevocationRecord revocation, bool done)
    {
        lock (_gate)
        {
            if (!_snapshot.IsLoaded) throw new CertificateStoreClosedException();
            if (done) store.ForgetRevocation(revocation.Serial);
            else store.Put(revocation);
            var next = done ? _snapshot.Revocations.Remove(revocation.Serial) : _snapshot.Revocations.SetItem(revocation.Serial, revocation);
            Volatile.Write(ref _snapshot, _snapshot with { Revocations = next });
        }
    }

    public void Forget(string id)
    {
        lock (_gate)
        {
            store.Forget(id);
            Wipe(_snapshot.Attempts.GetValueOrDefault(id)?.Order);
            Swap(_snapshot with
            {
                Certificates = _snapshot.Certificates.Remove(id),
                Attempts = _snapshot.Attempts.Remove(id),
                RenewalRequests = _snapshot.RenewalRequests.Remove(id),
            });
        }
    }

    /// <summary>The store may have closed while the CA was busy: what it says then comes too late.</summary>
    private AttemptRecord Current(string id) => _snapshot.Attempts.GetValueOrDefault(id) ?? throw new CertificateStoreClosedException();

    private AttemptRecord Write(AttemptRecord attempt, OrderBudget? budget = null)
    {
        if (!_snapshot.IsLoaded) throw new CertificateStoreClosedException();
        // Memory before disk: where the disk fails, the wait still holds.
        var next = _snapshot with { Attempts = _snapshot.Attempts.SetItem(attempt.Id, attempt) };
        if (budget is not null) next = next with { Budgets = next.Budgets.SetItem(attempt.Directory!, budget) };
        Volatile.Write(ref _snapshot, next);
        store.Put(attempt, budget is null ? null : new BudgetRecord(attempt.Directory!, budget.Buckets));
        return attempt;
    }

    private void Swap(LedgerSnapshot next)
    {
        var before = _snapshot.Certificates;
        Volatile.Write(ref _snapshot, next);
        if (!ReferenceEquals(before, next.Certificates)) table.Replace(next.Certificates.Values.Select(c => c.Bundle));
    }

    private HeldCertificate? TryHold(CertificateRecord record)
    {
        try
        {
            return _hold(record);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FormatException)
        {
            logger.StoredCertificateUnusable(e, record.Id);
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(record.KeyPkcs8);
        }
    }

    private static void Wipe(PendingOrder? order) => CryptographicOperations.ZeroMemory(order?.KeyPkcs8);
}
