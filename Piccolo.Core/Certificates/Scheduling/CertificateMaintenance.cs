using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>
/// What is asked of a CA beside orders: renewal information of what is held (RFC 9773), and revocations that the owner asked for. A few at
/// a time; what fails is tried again. Called by the scheduler, under its lock.
/// </summary>
internal sealed class CertificateMaintenance(
    CertificateLedger ledger, ICertificateIssuer issuer, TimeProvider time, Func<double> random, ILogger<CertificateMaintenance> logger)
{
    private const int MaxUnderWay = 4;

    private readonly Dictionary<string, Task> _underWay = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    // Where the CA gives no answer nothing is stored; the wait is kept here, so that a restart asks once more.
    private readonly Dictionary<string, DateTimeOffset> _notBefore = new(StringComparer.Ordinal);

    public ImmutableArray<Task> UnderWay
    {
        get
        {
            lock (_gate) return [.. _underWay.Values];
        }
    }

    /// <returns>When the next of these is due.</returns>
    public DateTimeOffset Pass(ImmutableArray<WantedCertificate> wanted, LedgerSnapshot snapshot, DateTimeOffset now, Action wake, CancellationToken session)
    {
        var soonest = DateTimeOffset.MaxValue;
        lock (_gate)
        {
            var current = snapshot.Certificates.Values.Select(c => c.Facts.FingerprintSha256).Concat(snapshot.Revocations.Keys)
                .ToHashSet(StringComparer.Ordinal);
            foreach (var gone in _notBefore.Keys.Where(k => !current.Contains(k[(k.IndexOf(' ', StringComparison.Ordinal) + 1)..])).ToList())
                _notBefore.Remove(gone);
            foreach (var revocation in snapshot.Revocations.Values)
            {
                Consider("revoke " + revocation.Serial, revocation.NextAttempt, () => RevokeAsync(revocation, session), ref soonest, now, wake);
            }
            foreach (var certificate in wanted)
            {
                if (snapshot.Certificates.GetValueOrDefault(certificate.Id) is not { } held || held.Facts.NotAfter <= now) continue;
                if (held.CertificateId is not null)
                {
                    var key = "hint " + held.Facts.FingerprintSha256;
                    Consider(
                        key, _notBefore.TryGetValue(key, out var later) ? later : held.Hint?.NextCheck ?? now, () => AskAsync(key, held, session),
                        ref soonest, now, wake);
                }
            }
        }
        return soonest;
    }

    private void Consider(string key, DateTimeOffset at, Func<Task> run, ref DateTimeOffset soonest, DateTimeOffset now, Action wake)
    {
        if (_underWay.ContainsKey(key)) return;
        if (at > now) soonest = at < soonest ? at : soonest;
        else if (_underWay.Count < MaxUnderWay) _underWay[key] = Task.Run(() => RunAsync(key, run, wake), CancellationToken.None);
    }

    private async Task RunAsync(string key, Func<Task> run, Action wake)
    {
        try
        {
            await run();
        }
        catch (Exception e) when (e is OperationCanceledException or CertificateStoreClosedException)
        {
            // Locked or stopping: asked again after the next unlock.
        }
        catch (Exception e)
        {
            logger.LoopFailed(e);
            lock (_gate) _notBefore[key] = time.GetUtcNow() + BackoffPolicy.WaitAfter(AcmeFailureClass.Internal, 1, null, random());
        }
        finally
        {
            lock (_gate) _underWay.Remove(key);
            wake();
        }
    }

    private async Task AskAsync(string key, HeldCertificate held, CancellationToken session)
    {
        var answer = await issuer.HintAsync(held.Record.Directory, held.CertificateId!, session);
        var now = time.GetUtcNow();
        if (answer.Failure is { } failure) logger.NoRenewalInformation(held.Record.Id, failure.Code, failure.Detail);
        if (answer.Failure is not null || answer.Value is null)
        {
            // What was known stays; the certificate's lifetime decides where nothing is.
            var asked = answer.Failure is { } no ? no.RetryAfter : TimeSpan.FromDays(1);
            lock (_gate) _notBefore[key] = now + RenewalPolicy.CheckAfter(held.Lifetime, asked);
            return;
        }
        var hint = answer.Value;
        var record = new RenewalHintRecord(
            held.Record.Id, held.Facts.FingerprintSha256, hint.Start, hint.End, hint.Explanation, now,
            now + RenewalPolicy.CheckAfter(held.Lifetime, hint.RetryAfter));
        var next = ledger.Hint(record);
        lock (_gate) _notBefore.Remove(key);
        if (next is not null && next.RenewAt != held.RenewAt) logger.RenewalSuggested(held.Record.Id, hint.Start, hint.End, next.RenewAt);
    }

    private async Task RevokeAsync(RevocationRecord revocation, CancellationToken session)
    {
        var failure = await issuer.RevokeAsync(revocation.Directory, revocation.CertificateDer, session);
        if (failure is null)
        {
            ledger.Revoking(revocation, done: true);
            logger.CertificateRevoked(revocation.Serial, revocation.Id);
            return;
        }
        var failures = revocation.Failures + 1;
        var next = time.GetUtcNow() + BackoffPolicy.WaitAfter(failure.Class, failures, failure.RetryAfter, random());
        ledger.Revoking(revocation with { Failures = failures, NextAttempt = next }, done: false);
        logger.RevocationFailed(revocation.Serial, revocation.Id, failure.Code, failure.Detail, next);
    }
}
