namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>Who chose the moment of a renewal.</summary>
public enum RenewalSource
{
    /// <summary>A share of the certificate's lifetime.</summary>
    Lifetime,

    /// <summary>The CA's renewal information (RFC 9773).</summary>
    Ari,
}

/// <summary>When a certificate is renewed, and in which window that moment was drawn.</summary>
public sealed record RenewalMoment(DateTimeOffset At, DateTimeOffset Start, DateTimeOffset End, RenewalSource Source)
{
    /// <summary>Where the CA explains its window.</summary>
    public string? Explanation { get; init; }
}

/// <summary>When a certificate is renewed: fractions of its lifetime only, so that certificates of minutes and of years are treated alike. Pure.</summary>
internal static class RenewalPolicy
{
    /// <summary>Renewal is due when this share of the lifetime is left...</summary>
    public const double ShareLeft = 1.0 / 3;

    /// <summary>...or up to this share of the lifetime earlier, so that certificates of one day do not all renew in one minute.</summary>
    public const double Spread = 1.0 / 20;

    /// <summary>No CA can put a renewal off until less than this share is left: what fails then must have time to be tried again.</summary>
    public const double LeastLeft = 1.0 / 6;

    /// <summary>No CA can ask for a renewal before this share has passed: else one that always says "now" would be asked for ever.</summary>
    public const double LeastUsed = 1.0 / 100;

    /// <summary>Renewal information is asked for at least this often, as a share of the lifetime, whatever Retry-After says...</summary>
    public const double LongestCheck = 1.0 / 24;

    /// <summary>...and at least daily.</summary>
    private static readonly TimeSpan LongestCheckEver = TimeSpan.FromDays(1);
    private static readonly TimeSpan UsualCheck = TimeSpan.FromHours(6);

    /// <param name="share">Between 0 and 1: the certificate's own place in the spread.</param>
    public static DateTimeOffset RenewAt(DateTimeOffset notBefore, DateTimeOffset notAfter, double share) => ByLifetime(notBefore, notAfter, share).At;

    /// <param name="hint">What the CA suggested; judged here (RFC 9773, 4.2).</param>
    public static RenewalMoment Decide(DateTimeOffset notBefore, DateTimeOffset notAfter, double share, (DateTimeOffset Start, DateTimeOffset End)? hint)
    {
        var lifetime = notAfter - notBefore;
        if (hint is not { } window || window.Start >= window.End || lifetime <= TimeSpan.Zero) return ByLifetime(notBefore, notAfter, share);
        // A window around the whole life says nothing.
        if (window.Start <= notBefore && window.End >= notAfter) return ByLifetime(notBefore, notAfter, share);
        var earliest = notBefore + (lifetime * LeastUsed);
        var latest = notAfter - (lifetime * LeastLeft);
        if (window.Start >= latest) return ByLifetime(notBefore, notAfter, share);
        // Over already: the CA wants it now, for instance because it will revoke.
        if (window.End <= earliest) return new RenewalMoment(earliest, window.Start, window.End, RenewalSource.Ari);
        var start = window.Start < earliest ? earliest : window.Start;
        var end = window.End > latest ? latest : window.End;
        return new RenewalMoment(start + ((end - start) * Math.Clamp(share, 0, 1)), start, end, RenewalSource.Ari);
    }

    /// <summary>How long after an answer the CA is asked for its hint again (RFC 9773, 4.3).</summary>
    public static TimeSpan CheckAfter(TimeSpan lifetime, TimeSpan? retryAfter)
    {
        var longest = TimeSpan.FromTicks(Math.Min((long)(lifetime.Ticks * LongestCheck), LongestCheckEver.Ticks));
        var shortest = TimeSpan.FromTicks(Math.Min(TimeSpan.TicksPerMinute, longest.Ticks));
        var asked = retryAfter ?? UsualCheck;
        return asked < shortest ? shortest : asked > longest ? longest : asked;
    }

    private static RenewalMoment ByLifetime(DateTimeOffset notBefore, DateTimeOffset notAfter, double share)
    {
        var lifetime = notAfter - notBefore;
        if (lifetime <= TimeSpan.Zero) return new RenewalMoment(notBefore, notBefore, notBefore, RenewalSource.Lifetime);
        var start = notAfter - (lifetime * (ShareLeft + Spread));
        var end = notAfter - (lifetime * ShareLeft);
        return new RenewalMoment(notAfter - (lifetime * (ShareLeft + (Spread * Math.Clamp(share, 0, 1)))), start, end, RenewalSource.Lifetime);
    }
}
