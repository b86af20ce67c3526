using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Certificates;

/// <summary>One moment of the ledger.</summary>
internal sealed record LedgerSnapshot(
    bool IsLoaded, ImmutableDictionary<string, HeldCertificate> Certificates, ImmutableDictionary<string, AttemptRecord> Attempts)
{
    public static readonly LedgerSnapshot Empty = new(
        false, ImmutableDictionary.Create<string, HeldCertificate>(StringComparer.Ordinal), ImmutableDictionary.Create<string, AttemptRecord>(StringComparer.Ordinal));
}

/// <summary>
/// What is stored about certificates and attempts, in memory while the store is open, and the only writer of both. Keeps the table of handshakes in
/// step. Snapshots are immutable; thread-safe.
/// </summary>
internal sealed class CertificateLedger(
    ICertificateStore store, ServerCertificateTable table, TimeProvider time, Func<double> random, ILogger<CertificateLedger> logger)
{
    private readonly Lock _gate = new();
    private LedgerSnapshot _snapshot = LedgerSnapshot.Empty;

    public LedgerSnapshot Snapshot => Volatile.Read(ref _snapshot);

    public void Load()
    {
        lock (_gate)
        {
            var certificates = LedgerSnapshot.Empty.Certificates.ToBuilder();
            foreach (var record in store.Certificates())
            {
                if (TryHold(record) is { } held) certificates[record.Id] = held;
            }
            var attempts = LedgerSnapshot.Empty.Attempts.AddRange(store.Attempts().Select(a => KeyValuePair.Create(a.Id, a)));
            Swap(new LedgerSnapshot(true, certificates.ToImmutable(), attempts));
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

    /// <summary>Writes an attempt down before it begins, as if it had been interrupted: whoever restarts in its middle waits, or takes its order up.</summary>
    public AttemptRecord Begin(WantedCertificate wanted)
    {
        lock (_gate)
        {
            var names = wanted.Names.Select(n => n.Value).ToList();
            var before = _snapshot.Attempts.GetValueOrDefault(wanted.Id) is { } known && known.Names.SequenceEqual(names) ? known : null;
            var failures = (before?.Failures ?? 0) + 1;
            var now = time.GetUtcNow();
            var next = now + BackoffPolicy.WaitAfter(AcmeFailureClass.Interrupted, failures, null, random());
            return Write(new AttemptRecord(wanted.Id, names, now, failures, before?.InRow ?? 0, next, Running: true, before?.LastError, before?.Order));
        }
    }

    public void Placed(string id, PendingOrder? order)
    {
        lock (_gate)
        {
            var attempt = Current(id);
            Wipe(attempt.Order);
            Write(attempt with { Order = order });
        }
    }

    /// <summary>Stores the certificate; it serves from the moment at which it is durable.</summary>
    public HeldCertificate Complete(CertificateRecord record)
    {
        // Held first: key and chain that do not fit together throw here and are not stored.
        var held = HeldCertificate.From(record);
        lock (_gate)
        {
            store.Complete(record);
            CryptographicOperations.ZeroMemory(record.KeyPkcs8);
            Swap(_snapshot with { Certificates = _snapshot.Certificates.SetItem(record.Id, held), Attempts = _snapshot.Attempts.Remove(record.Id) });
        }
        return held;
    }

    public AttemptRecord Fail(string id, AcmeFailure failure)
    {
        lock (_gate)
        {
            var attempt = Current(id);
            var inRow = attempt.LastError?.Class == failure.Class ? attempt.InRow + 1 : 1;
            var next = time.GetUtcNow() + BackoffPolicy.WaitAfter(failure.Class, inRow, failure.RetryAfter, random());
            var order = attempt.Order;
            if (!CertificateIssuer.KeepsOrder(failure))
            {
                Wipe(order);
                order = null;
            }
            return Write(attempt with { InRow = inRow, NextAttempt = next, Running = false, LastError = NextSteps.Describe(failure), Order = order });
        }
    }

    public void Forget(string id)
    {
        lock (_gate)
        {
            store.Forget(id);
            Wipe(_snapshot.Attempts.GetValueOrDefault(id)?.Order);
            Swap(_snapshot with { Certificates = _snapshot.Certificates.Remove(id), Attempts = _snapshot.Attempts.Remove(id) });
        }
    }

    /// <summary>The store may have closed while the CA was busy: what it says then comes too late.</summary>
    private AttemptRecord Current(string id) => _snapshot.Attempts.GetValueOrDefault(id) ?? throw new StoreSealedException();

    private AttemptRecord Write(AttemptRecord attempt)
    {
        if (!_snapshot.IsLoaded) throw new StoreSealedException();
        // Memory before disk: where the disk fails, the wait still holds.
        Volatile.Write(ref _snapshot, _snapshot with { Attempts = _snapshot.Attempts.SetItem(attempt.Id, attempt) });
        store.Put(attempt);
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
            return HeldCertificate.From(record);
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
