using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>Forgets what nobody wants any longer.</summary>
internal static class LedgerPruning
{
    /// <summary>What the ledger knows of names that nobody wants is forgotten after this.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromDays(7);

    public static void Run(
        CertificateLedger ledger, ImmutableArray<WantedCertificate>? wanted, Func<string, bool> isInFlight, DateTimeOffset now, ILogger logger)
    {
        // Before the first list of wanted certificates nothing is known to be unwanted.
        if (wanted is not { } certificates) return;
        var snapshot = ledger.Snapshot;
        var kept = certificates.Select(w => w.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, held) in snapshot.Certificates)
        {
            // A valid one stays: whoever brings the name back needs no new order.
            if (kept.Contains(id) || isInFlight(id) || held.Facts.NotAfter > now) continue;
            ledger.Forget(id);
            logger.CertificateRemoved(id);
        }
        foreach (var (id, attempt) in snapshot.Attempts)
        {
            if (!kept.Contains(id) && !isInFlight(id) && !snapshot.Certificates.ContainsKey(id) && attempt.LastAttempt < now - Memory) ledger.Forget(id);
        }
    }
}
