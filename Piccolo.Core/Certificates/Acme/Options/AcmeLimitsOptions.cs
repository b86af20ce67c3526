using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Certificates.Acme.Options;

/// <summary>Limits of a CA; the defaults are those that Let's Encrypt publishes for production.</summary>
public sealed class AcmeLimitsOptions
{
    /// <summary>Orders of one account.</summary>
    [Required]
    public RateLimitOptions NewOrders { get; set; } = new() { Count = 300, Period = TimeSpan.FromHours(3) };

    /// <summary>First certificates (not renewals) below one registered domain.</summary>
    [Required]
    public RateLimitOptions CertificatesPerDomain { get; set; } = new() { Count = 50, Period = TimeSpan.FromDays(7) };

    /// <summary>Certificates for exactly the same names.</summary>
    [Required]
    public RateLimitOptions SameNames { get; set; } = new() { Count = 5, Period = TimeSpan.FromDays(7) };

    /// <summary>Failed validations of one name.</summary>
    [Required]
    public RateLimitOptions FailedValidations { get; set; } = new() { Count = 5, Period = TimeSpan.FromHours(1) };
}

/// <summary>A number of events in a period; refilled evenly.</summary>
public sealed class RateLimitOptions
{
    /// <summary>How many in the period. 0: no limit.</summary>
    [Range(0, 1_000_000)]
    public int Count { get; set; }

    /// <summary>The period.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "31.00:00:00")]
    public TimeSpan Period { get; set; } = TimeSpan.FromHours(1);
}
