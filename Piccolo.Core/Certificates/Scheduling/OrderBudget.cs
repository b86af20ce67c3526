using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>
/// The limits that a CA publishes, kept on our side, so that whatever goes wrong here the CA never has to say no. Pure: each change gives a new one.
/// </summary>
internal sealed record OrderBudget(AcmeLimitsOptions Limits, ImmutableDictionary<string, TokenBucket> Buckets)
{
    private const int MaxBuckets = 5000;

    public static OrderBudget Empty(AcmeLimitsOptions limits) => new(limits, ImmutableDictionary.Create<string, TokenBucket>(StringComparer.Ordinal));

    /// <summary>When an order for <paramref name="names"/> fits into every limit, and which one holds it back until then.</summary>
    /// <param name="isRenewal">A certificate for exactly these names exists: then the limit per domain does not count.</param>
    public (DateTimeOffset At, string? Limit) Earliest(IReadOnlyList<DomainName> names, bool isRenewal, DateTimeOffset now)
    {
        var latest = (At: now, Limit: (string?)null);
        var failed = names.Select(n => (FailedKey(n.Value), Limits.FailedValidations));
        foreach (var (key, limit) in OfCertificate(names, isRenewal).Append(("orders", Limits.NewOrders)).Concat(failed))
        {
            if (limit.Count == 0 || !Buckets.TryGetValue(key, out var bucket)) continue;
            var at = bucket.NextFree(limit, now);
            if (at > latest.At) latest = (at, key.Split(':')[0]);
        }
        return latest;
    }

    /// <summary>A request for an order was sent, whatever becomes of it.</summary>
    public OrderBudget Ordered(DateTimeOffset now) => Spend([("orders", Limits.NewOrders)], now);

    /// <summary>The CA issued a certificate: only that is what it counts per domain and per set of names.</summary>
    public OrderBudget Issued(IReadOnlyList<DomainName> names, bool isRenewal, DateTimeOffset now) => Spend(OfCertificate(names, isRenewal), now);

    public OrderBudget ValidationFailed(string name, DateTimeOffset now) => Spend([(FailedKey(name), Limits.FailedValidations)], now);

    /// <summary>The last two labels: where the public suffix is longer this counts more names together than the CA does, which errs on the safe side.</summary>
    internal static string RegisteredDomain(string name)
    {
        var last = name.LastIndexOf('.');
        var before = last > 0 ? name.LastIndexOf('.', last - 1) : -1;
        return name[(before + 1)..];
    }

    private IEnumerable<(string Key, RateLimitOptions Limit)> OfCertificate(IReadOnlyList<DomainName> names, bool isRenewal)
    {
        var set = string.Join(' ', names.Select(n => n.Value).Order(StringComparer.Ordinal));
        yield return ("same_names:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(set)).AsSpan(0, 16)), Limits.SameNames);
        if (isRenewal) yield break;
        foreach (var domain in names.Select(n => RegisteredDomain(n.Value)).Distinct(StringComparer.Ordinal))
            yield return ("domain:" + domain, Limits.CertificatesPerDomain);
    }

    private static string FailedKey(string name) => "failed_validations:" + name;

    private OrderBudget Spend(IEnumerable<(string Key, RateLimitOptions Limit)> spent, DateTimeOffset now)
    {
        var next = Buckets.ToBuilder();
        foreach (var (key, bucket) in Buckets)
        {
            // A full bucket says nothing: it is as good as none.
            if (LimitOf(key) is { Count: > 0 } limit && bucket.Refill(limit, now).Free < limit.Count && next.Count <= MaxBuckets) continue;
            next.Remove(key);
        }
        foreach (var (key, limit) in spent)
        {
            if (limit.Count > 0) next[key] = (next.GetValueOrDefault(key) ?? TokenBucket.Full(limit, now)).Take(limit, now);
        }
        return this with { Buckets = next.ToImmutable() };
    }

    private RateLimitOptions LimitOf(string key) => key.Split(':')[0] switch
    {
        "orders" => Limits.NewOrders,
        "domain" => Limits.CertificatesPerDomain,
        "same_names" => Limits.SameNames,
        _ => Limits.FailedValidations,
    };
}
