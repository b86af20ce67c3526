using Piccolo.Core.Certificates.Acme.Options;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>How many of a limit were free at a moment; refills evenly (Let's Encrypt's limits work so). Pure.</summary>
/// <param name="Free">Between 0 and the limit's count.</param>
internal sealed record TokenBucket(double Free, DateTimeOffset At)
{
    public static TokenBucket Full(RateLimitOptions limit, DateTimeOffset now) => new(limit.Count, now);

    /// <summary>The same at <paramref name="now"/>. A moment in the future was written under a wrong clock and counts as now.</summary>
    public TokenBucket Refill(RateLimitOptions limit, DateTimeOffset now)
    {
        var passed = now > At ? now - At : TimeSpan.Zero;
        return new TokenBucket(Math.Min(limit.Count, Free + (limit.Count * (passed / limit.Period))), now);
    }

    /// <summary>When one is free.</summary>
    public DateTimeOffset NextFree(RateLimitOptions limit, DateTimeOffset now)
    {
        var current = Refill(limit, now);
        return current.Free >= 1 ? now : now + (limit.Period * ((1 - current.Free) / limit.Count));
    }

    public TokenBucket Take(RateLimitOptions limit, DateTimeOffset now) =>
        Refill(limit, now) is var current ? current with { Free = Math.Max(0, current.Free - 1) } : this;
}
