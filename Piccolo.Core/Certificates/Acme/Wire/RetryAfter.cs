using System.Net.Http.Headers;

namespace Piccolo.Core.Certificates.Acme.Wire;

/// <summary>The Retry-After header in both its forms (RFC 9110, 10.2.3). Pure.</summary>
internal static class RetryAfter
{
    /// <summary>No CA may silence us for longer.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <returns>How long to wait, between zero and <see cref="Longest"/>; null when the header is absent or is neither form.</returns>
    public static TimeSpan? Parse(string? header, DateTimeOffset now)
    {
        if (!RetryConditionHeaderValue.TryParse(header, out var value)) return null;
        var wait = value.Delta ?? value.Date!.Value - now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Longest ? Longest : wait;
    }
}
