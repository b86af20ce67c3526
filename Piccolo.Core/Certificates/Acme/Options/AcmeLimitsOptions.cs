using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Certificates.Acme.Options;

/// <summary>Limits of a CA; the defaults are those that Let's Encrypt publishes for production.</summary>
public sealed class AcmeLimitsOptions
{
    /// <summary>Orders of one account. Default 300 in 3 hours.</summary>
    [Required]
    public RateLimitOptions NewOrders { get; set; } = new() { Count = 300, Period = TimeSpan.FromHours(3) };

    /// <summary>First certificates (not renewals) below one registered domain. Default 50 in 7 days.</summary>
    [Required]
    public RateLimitOptions CertificatesPerDomain { get; set; } = new() { Count = 50, Period = TimeSpan.FromDays(7) };

    /// <summary>Certificates for exactly the same names. Default 5 in 7 days.</summary>
    [Required]
    public RateLimitOptions SameNames { get; set; } = new() { Count = 5, Period = TimeSpan.FromDays(7) };

    /// <summary>Failed validations of one name. Default 5 in an hour.</summary>
    [Required]
    public RateLimitOptions FailedValidations { get; set; } = new() { Count = 5, Period = TimeSpan.FromHours(1) };
}

/// <summary>So many in such a time; refilled evenly.</summary>
public sealed class RateLimitOptions
{
    /// <summary>0 is no limit.</summary>
    [Range(0, 1_000_000)]
    public int Count { get; set; }

    [Range(typeof(TimeSpan), "00:00:01", "31.00:00:00")]
    public TimeSpan Period { get; set; } = TimeSpan.FromHours(1);
}
