using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>When a wanted certificate is ordered, and why then: what is stored first, then the ledger, then a request of the owner. Pure.</summary>
/// <param name="At">In the past or now where the order should already be under way.</param>
/// <param name="Reason">What follows "because", in words for the owner.</param>
internal readonly record struct RenewalDecision(DateTimeOffset At, string Reason)
{
    /// <summary>How close two attempts may follow each other however often the owner asks.</summary>
    public static readonly TimeSpan ManualSpacing = TimeSpan.FromMinutes(1);

    /// <summary>A ledger from further in the future than this was written under a wrong clock and does not count.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    /// <param name="held">Of a CA that is still configured.</param>
    /// <param name="requested">The owner asked for a new one now.</param>
    /// <param name="secondAt">When a second CA may be asked, which then does not wait for the first one's sake.</param>
    public static RenewalDecision For(
        WantedCertificate wanted, HeldCertificate? held, AttemptRecord? attempt, bool requested, DateTimeOffset now, DateTimeOffset? secondAt = null)
    {
        if (held is not null && !held.Covers(wanted)) held = null;
        if (attempt is not null && (!attempt.IsFor(wanted) || attempt.LastAttempt > now + ClockTolerance)) attempt = null;
        if (requested)
        {
            var last = attempt?.LastAttempt ?? held?.Record.IssuedAt;
            return new(last is { } moment && moment <= now ? moment + ManualSpacing : now, "the owner asked for it");
        }
        if (attempt is null)
        {
            if (held is null) return new(now, "no certificate of a configured CA is held for these names");
            return new(held.RenewAt, held.Renewal.Source == RenewalSource.Ari ? "the CA suggests to renew it now" : "its renewal time has come");
        }
        // Interrupted with an order in the CA's books: going on costs the CA nothing.
        if (attempt is { Running: true, Order: not null }) return new(now, "the last attempt was interrupted, and its order can be completed");
        // The first CA may have asked for a pause of days; the second one has not.
        if (secondAt is { } second && second > attempt.LastAttempt && second < attempt.NextAttempt) return new(second, "the first CA keeps failing");
        return new(attempt.NextAttempt, attempt.Running ? "the last attempt was interrupted" : "the last attempt failed");
    }
}
