using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>When a wanted certificate is to be ordered: what is stored first, then the ledger, then a request of the owner. Pure.</summary>
internal static class DuePolicy
{
    /// <summary>How close two attempts may follow each other however often the owner asks.</summary>
    public static readonly TimeSpan ManualSpacing = TimeSpan.FromMinutes(1);

    /// <summary>A ledger from further in the future than this was written under a wrong clock and does not count.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    /// <param name="requested">The owner asked for a new one now.</param>
    /// <param name="secondAt">When a second CA may be asked, which then does not wait for the first one's sake.</param>
    /// <returns>The moment at which it is due; in the past or now where it should already be under way.</returns>
    public static DateTimeOffset DueAt(
        WantedCertificate wanted, HeldCertificate? held, AttemptRecord? attempt, bool requested, DateTimeOffset now, DateTimeOffset? secondAt = null)
    {
        if (held is not null && !held.Covers(wanted)) held = null;
        if (attempt is not null && (!IsFor(attempt, wanted) || attempt.LastAttempt > now + ClockTolerance)) attempt = null;
        if (requested)
        {
            var last = attempt?.LastAttempt ?? held?.Record.IssuedAt;
            return last is { } moment && moment <= now ? moment + ManualSpacing : now;
        }
        if (attempt is null) return held?.RenewAt ?? now;
        // Interrupted with an order in the CA's books: going on costs the CA nothing.
        if (attempt is { Running: true, Order: not null }) return now;
        // The first CA may have asked for a pause of days; the second one has not.
        return secondAt is { } second && second > attempt.LastAttempt && second < attempt.NextAttempt ? second : attempt.NextAttempt;
    }

    public static bool IsFor(AttemptRecord attempt, WantedCertificate wanted) =>
        attempt.Names.SequenceEqual(wanted.Names.Select(n => n.Value), StringComparer.Ordinal);
}
