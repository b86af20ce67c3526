using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>Carries out one attempt: ledger before, order, ledger and transcript after. Whatever happens, there is a next attempt. Thread-safe.</summary>
internal sealed class OrderRunner(
    CertificateLedger ledger, ICertificateIssuer issuer, AuthorityReachability reach, ICertificateStore store, AcmeOptions options, TimeProvider time,
    ILogger<OrderRunner> logger,
    Func<string, OrderStep, Task>? step = null)
{
    // Orders that were started and have not spent yet what they will; whether the request itself was spent already.
    private readonly ConcurrentDictionary<string, (WantedCertificate Wanted, bool IsPlaced)> _reserved = new(StringComparer.Ordinal);

    /// <summary>Whether the limits have room for this order beside those that just began; if so the room is kept for it until it is spent.</summary>
    public bool TryReserve(WantedCertificate wanted, LedgerSnapshot snapshot, DateTimeOffset now)
    {
        var directory = DirectoryFor(wanted, snapshot, now);
        if (TakesUp(snapshot.AttemptFor(wanted), directory, now)) return true;
        var budget = _reserved.Values.Aggregate(ledger.Budget(directory), (b, other) =>
            (other.IsPlaced ? b : b.Ordered(now)).Issued(other.Wanted.Names, snapshot.IsRenewal(other.Wanted, directory), now));
        if (budget.Earliest(wanted.Names, snapshot.IsRenewal(wanted, directory), now).At > now) return false;
        _reserved[wanted.Id] = (wanted, false);
        return true;
    }

    /// <summary>When it is due, and which limit holds it back until then, if one does.</summary>
    public (DateTimeOffset At, string? Limit) DueAt(WantedCertificate wanted, LedgerSnapshot snapshot, DateTimeOffset now)
    {
        var due = Decide(wanted, snapshot, now).At;
        var directory = DirectoryFor(wanted, snapshot, now);
        var downUntil = snapshot.IsRequested(wanted) ? null : reach.DownUntil(directory, snapshot.HeldFor(wanted)?.Lifetime);
        if (due <= now && downUntil is { } until && until > now) return (until, null);
        return HeldBack(wanted, snapshot, due > now ? due : now) ?? (due, null);
    }

    private RenewalDecision Decide(WantedCertificate wanted, LedgerSnapshot snapshot, DateTimeOffset now)
    {
        var held = snapshot.HeldFor(wanted);
        var attempt = snapshot.AttemptFor(wanted);
        var second = AuthorityChoice.SecondAt(attempt, issuer.Directories.Length, options.Fallback, held?.Lifetime);
        // The second CA does not wait for a pause that the first one asked for; afterwards the two take turns.
        if (second is not null && attempt!.Directory != issuer.Directories[0]) second = null;
        // What a CA issued that is no longer configured goes on serving, and is ordered again at one that is: else a trial at a test CA would last for months.
        var current = held is not null && issuer.Directories.Contains(held.Record.Directory) ? held : null;
        return RenewalDecision.For(wanted, current, attempt, snapshot.IsRequested(wanted), now, second);
    }

    /// <summary>The limit that keeps an order from beginning at <paramref name="at"/>, and until when; null where none does.</summary>
    public (DateTimeOffset At, string? Limit)? HeldBack(WantedCertificate wanted, LedgerSnapshot snapshot, DateTimeOffset at)
    {
        var directory = DirectoryFor(wanted, snapshot, at);
        if (TakesUp(snapshot.AttemptFor(wanted), directory, at) || !snapshot.Budgets.TryGetValue(directory, out var budget)) return null;
        return budget.Earliest(wanted.Names, snapshot.IsRenewal(wanted, directory), at) is var free && free.At > at ? free : null;
    }

    /// <summary>Whether the next attempt goes on with an order that the CA has, and places none.</summary>
    private static bool TakesUp(AttemptRecord? attempt, Uri directory, DateTimeOffset at) =>
        attempt?.Order is { } order && order.Directory == directory && at - order.PlacedAt < CertificateIssuer.MaxOrderAge;

    public async Task RunAsync(WantedCertificate wanted, CancellationToken session)
    {
        try
        {
            await OrderAsync(wanted, session);
        }
        catch (OperationCanceledException) when (session.IsCancellationRequested)
        {
            // Locked or stopping: the ledger says that the attempt was running.
        }
        catch (CertificateStoreClosedException)
        {
            // Locked between two steps: the same.
        }
        catch (Exception e)
        {
            logger.OrderCrashed(e, wanted.Id);
            RecordCrash(wanted);
        }
        finally
        {
            _reserved.TryRemove(wanted.Id, out _);
        }
    }

    private Uri DirectoryFor(WantedCertificate wanted, LedgerSnapshot snapshot, DateTimeOffset now) => issuer.Directories[AuthorityChoice.Next(
        snapshot.AttemptFor(wanted), issuer.Directories, options.Fallback, snapshot.HeldFor(wanted)?.Lifetime, now)];

    private async Task OrderAsync(WantedCertificate wanted, CancellationToken session)
    {
        var before = ledger.Snapshot;
        var held = before.HeldFor(wanted);
        var last = before.AttemptFor(wanted);
        var authority = AuthorityChoice.Next(last, issuer.Directories, options.Fallback, held?.Lifetime, time.GetUtcNow());
        var directory = issuer.Directories[authority];
        if (authority > 0 && last?.FailingSince is { } since) logger.SecondAuthorityAsked(wanted.Id, since, directory.Host);
        var challenge = AuthorityChoice.Challenge(options.Challenge, last);
        var reason = Decide(wanted, before, time.GetUtcNow()).Reason;
        var attempt = ledger.Begin(wanted, directory, challenge);
        await StepAsync(wanted.Id, OrderStep.Begun);
        var names = string.Join(", ", wanted.Names.Select(n => n.Value));
        logger.OrderStarted(wanted.Id, names, directory.Host, reason, attempt.Order is not null);
        var ticket = new OrderTicket(
            wanted, authority, attempt.Order, attempt.Placing, challenge, Profile(authority, held, directory), Replaces(held, attempt, directory),
            new Entry(ledger, wanted, () => _reserved.TryUpdate(wanted.Id, (wanted, true), (wanted, false)), () => _reserved.TryRemove(wanted.Id, out _)),
            s => StepAsync(wanted.Id, s));
        var transcript = new AcmeTranscript();
        AcmeResult<CertificateRecord> result;
        using (AcmeTranscript.Begin(transcript)) result = await issuer.IssueAsync(ticket, session);
        session.ThrowIfCancellationRequested();
        reach.Note(directory, result.Failure, held?.Lifetime);
        if (result.Failure is { } failure)
        {
            var failed = ledger.Fail(wanted, failure);
            var (next, _) = HeldBack(wanted, ledger.Snapshot, failed.NextAttempt) ?? (failed.NextAttempt, null);
            logger.OrderFailed(wanted.Id, failure.Class, failure.Code, failure.Detail, failed.Failures, next);
        }
        else
        {
            var issued = ledger.Complete(result.Value);
            await StepAsync(wanted.Id, OrderStep.Stored);
            logger.CertificateIssued(wanted.Id, names, issued.Facts.Issuer, issued.Facts.NotAfter, issued.RenewAt);
        }
        SaveTranscript(wanted.Id, transcript, attempt, directory, result.Failure?.Code ?? "issued");
    }

    /// <summary>
    /// What the certificate was made with is kept on renewal by the CA that made it; a changed setting counts from the next order on.
    /// </summary>
    private string? Profile(int authority, HeldCertificate? held, Uri directory)
    {
        var configured = options.Authorities()[authority].Profile;
        return configured ?? (held?.Record.Directory == directory ? held.Record.Profile : null);
    }

    private string? Replaces(HeldCertificate? held, AttemptRecord attempt, Uri directory) =>
        held is not null && held.Record.Directory == directory && held.Facts.NotAfter > time.GetUtcNow() && !attempt.WithoutReplaces
            ? held.CertificateId
            : null;

    private Task StepAsync(string id, OrderStep at) => step is null ? Task.CompletedTask : step(id, at);

    private void SaveTranscript(string id, AcmeTranscript transcript, AttemptRecord attempt, Uri directory, string outcome)
    {
        var exchanges = transcript.Exchanges;
        if (exchanges.IsEmpty) return;
        var entry = new OrderTranscript(attempt.LastAttempt, time.GetUtcNow(), directory, attempt.Order is not null, outcome, exchanges, transcript.Dropped);
        store.Put((store.Transcript(id) ?? new TranscriptRecord(id, [])).With(entry));
    }

    private void RecordCrash(WantedCertificate wanted)
    {
        try
        {
            ledger.Fail(
                wanted, new AcmeFailure(AcmeFailureClass.Internal, "internal", "An unexpected error occurred in the appliance. Its log has the details."));
        }
        catch (CertificateStoreClosedException)
        {
            // Locked meanwhile: the ledger says that the attempt was running.
        }
        catch (Exception e)
        {
            // The store refuses too; the wait is kept in memory.
            logger.OrderCrashed(e, wanted.Id);
        }
    }

    private sealed class Entry(CertificateLedger ledger, WantedCertificate wanted, Action placed, Action issued) : IOrderLedger
    {
        public void Placing()
        {
            ledger.Placing(wanted);
            placed();
        }

        public void Issued()
        {
            ledger.Issued(wanted);
            issued();
        }

        public void Placed(PendingOrder? order) => ledger.Placed(wanted.Id, order);

        public void WithoutReplaces() => ledger.WithoutReplaces(wanted.Id);
    }
}
