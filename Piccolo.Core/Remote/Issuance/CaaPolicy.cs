using System.Collections.Immutable;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Dns;

namespace Piccolo.Core.Remote.Issuance;

/// <summary>Whom the CAA records of a name let issue.</summary>
public enum CaaVerdict
{
    /// <summary>Every CA may issue: there is no record that says otherwise.</summary>
    Anyone,

    /// <summary>Our CA may issue, for every account of it, or others may too.</summary>
    OurCa,

    /// <summary>Only our account at our CA may issue (RFC 8657).</summary>
    OnlyOurAccount,

    /// <summary>Our CA must refuse us.</summary>
    Refused,
}

/// <summary>Who we are to a CA.</summary>
/// <param name="Identities">The issuer domain names by which the CA knows itself in CAA; empty where that is not known.</param>
/// <param name="AccountUrl">Null before the first order.</param>
/// <param name="Host">Of the CA's directory, to name it to the owner.</param>
public sealed record CaaSubject(ImmutableArray<string> Identities, Uri? AccountUrl, string Host = "");

/// <summary>CAA (RFC 8659) with the account and method parameters (RFC 8657), for names that are not wildcards. Pure.</summary>
public static class CaaPolicy
{
    public const string Issue = "issue";

    private const string AccountUri = "accounturi";
    private const string ValidationMethods = "validationmethods";

    // What a CA that follows RFC 8659 understands; an unknown critical property forbids every issuance.
    private static readonly ImmutableHashSet<string> Known = [Issue, "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"];

    /// <param name="method">The challenge that we would answer, such as <c>http-01</c>.</param>
    public static CaaVerdict Judge(IReadOnlyCollection<CaaProperty> properties, CaaSubject us, string method) => Judge(properties, [us], method);

    /// <param name="us">Who we are to each CA that may be asked; the first one must be admitted.</param>
    public static CaaVerdict Judge(IReadOnlyCollection<CaaProperty> properties, IReadOnlyList<CaaSubject> us, string method)
    {
        if (properties.Any(p => p.IsCritical && !Known.Contains(p.Tag))) return CaaVerdict.Refused;
        var issuers = properties.Where(p => p.Tag == Issue).Select(p => Parse(p.Value)).ToList();
        if (issuers.Count == 0) return CaaVerdict.Anyone;
        // A value that does not follow the grammar lets nobody issue (RFC 8659, 4.2), as does one without a name.
        var granted = issuers.Where(i => i is { Name.Length: > 0 }).Select(i => i!).ToList();
        if (!granted.Any(i => Admits(i, us[0], method))) return CaaVerdict.Refused;
        return granted.All(i => us.Any(u => IsBoundTo(u, i))) ? CaaVerdict.OnlyOurAccount : CaaVerdict.OurCa;
    }

    /// <summary>Whether the property lets this CA issue for this account and for no other.</summary>
    private static bool IsBoundTo(CaaSubject us, Issuer issuer) =>
        us.AccountUrl is { } account && us.Identities.Contains(issuer.Name) && issuer.Parameters.GetValueOrDefault(AccountUri) == account.AbsoluteUri;

    /// <summary>The property that lets our account, by the challenges that this device answers, and nobody else issue.</summary>
    public static CaaProperty Lock(string identity, Uri account) =>
        new(0, Issue, $"{identity}; {AccountUri}={account.AbsoluteUri}; {ValidationMethods}=http-01,tls-alpn-01");

    private static bool Admits(Issuer issuer, CaaSubject us, string method) =>
        us.Identities.Contains(issuer.Name)
        // Before the first order nobody knows the account yet: a record that names one was not made for it.
        && (!issuer.Parameters.TryGetValue(AccountUri, out var account) || account == us.AccountUrl?.AbsoluteUri)
        && (!issuer.Parameters.TryGetValue(ValidationMethods, out var methods)
            || methods.Split(',').Any(m => m.Trim().Equals(method, StringComparison.OrdinalIgnoreCase)));

    /// <returns>Null when the value does not follow the grammar.</returns>
    private static Issuer? Parse(string value)
    {
        var parts = value.Split(';');
        var name = parts[0].Trim().ToLowerInvariant();
        if (name.Length > 0 && !DomainName.TryParse(name, out _)) return null;
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(1).Select(p => p.Trim()).Where(p => p.Length > 0))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            // A duplicated parameter is ambiguous: the record is treated as not ours.
            if (equals <= 0 || !parameters.TryAdd(part[..equals].Trim().ToLowerInvariant(), part[(equals + 1)..].Trim())) return null;
        }
        return new Issuer(name, parameters);
    }

    private sealed record Issuer(string Name, Dictionary<string, string> Parameters);
}
