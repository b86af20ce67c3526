namespace Piccolo.Core.Certificates;

/// <summary>When a certificate is renewed: fractions of its lifetime only, so that certificates of minutes and of years are treated alike. Pure.</summary>
internal static class RenewalPolicy
{
    /// <summary>Renewal is due when this share of the lifetime is left...</summary>
    public const double ShareLeft = 1.0 / 3;

    /// <summary>...or up to this share of the lifetime earlier, so that certificates of one day do not all renew in one minute.</summary>
    public const double Spread = 1.0 / 20;

    /// <param name="share">Between 0 and 1: the certificate's own place in the spread.</param>
    public static DateTimeOffset RenewAt(DateTimeOffset notBefore, DateTimeOffset notAfter, double share)
    {
        var lifetime = notAfter - notBefore;
        if (lifetime <= TimeSpan.Zero) return notBefore;
        return notAfter - (lifetime * (ShareLeft + (Spread * Math.Clamp(share, 0, 1))));
    }
}
