using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Dns;

namespace Piccolo.Core.Remote.Issuance;

/// <summary>The CAA records that decide about a name.</summary>
/// <param name="At">Where they were found; null when there are none up to the root.</param>
/// <param name="Failure">One sentence; null when DNS answered.</param>
/// <param name="Aliases">The names on the way up that are aliases (CNAME), and where each of them leads, step by step.</param>
public sealed record CaaFinding(
    DomainName? At, ImmutableArray<CaaProperty> Properties, string? Failure, ImmutableArray<(DomainName Name, DomainName Target)> Aliases);

/// <summary>Finds the CAA records that count for a name, and knows who we are to the CA. Thread-safe.</summary>
public sealed class CaaLookup
{
    // Let's Encrypt and others publish these in their documentation; a directory need not name them.
    private static readonly ImmutableDictionary<string, string> WellKnown = ImmutableDictionary.CreateRange(StringComparer.OrdinalIgnoreCase,
    [
        KeyValuePair.Create("acme-v02.api.letsencrypt.org", "letsencrypt.org"),
        KeyValuePair.Create("acme-staging-v02.api.letsencrypt.org", "letsencrypt.org"),
        KeyValuePair.Create("acme.zerossl.com", "sectigo.com"),
        KeyValuePair.Create("dv.acme-v02.api.pki.goog", "pki.goog"),
    ]);

    private readonly PublicDnsResolver _dns;
    private readonly CertificateInventory _certificates;
    private readonly AcmeOptions _acme;
    private readonly RemoteOptions _options;

    public CaaLookup(PublicDnsResolver dns, CertificateInventory certificates, IOptions<AcmeOptions> acme, IOptions<RemoteOptions> options) =>
        (_dns, _certificates, _acme, _options) = (dns, certificates, acme.Value, options.Value);

    /// <summary>Who we are to the first CA.</summary>
    public CaaSubject Us => Everywhere[0];

    /// <summary>Who we are to each configured CA, the first one's first.</summary>
    public ImmutableArray<CaaSubject> Everywhere =>
        [.. _certificates.Accounts().Select((a, i) => new CaaSubject(IdentitiesOf(a, i == 0), a.Account, a.Directory.Host))];

    /// <summary>The challenge by which the next order will prove a name, as <c>validationmethods</c> has it (RFC 8657, 4).</summary>
    public string Method => _acme.Challenge == AcmeOptions.TlsAlpn01 ? AcmeOptions.TlsAlpn01 : AcmeOptions.Http01;

    /// <summary>From the name upwards, the first that has any (RFC 8659, 3).</summary>
    public async Task<CaaFinding> FindAsync(DomainName name, CancellationToken cancellationToken)
    {
        var aliases = ImmutableArray.CreateBuilder<(DomainName Name, DomainName Target)>();
        for (var at = name; at is not null; at = ParentOf(at))
        {
            var answer = await _dns.CaaAsync(at, cancellationToken);
            // A CA must not issue when DNS cannot say (RFC 8659, 6): so neither do we guess. A name that does not exist has no records.
            if (answer is { Failure: { } failure, NoSuchName: false }) return new CaaFinding(null, [], failure, aliases.ToImmutable());
            aliases.AddRange(answer.Targets.Select(target => (at, target)));
            if (!answer.Records.IsEmpty) return new CaaFinding(at, answer.Records, null, aliases.ToImmutable());
        }
        return new CaaFinding(null, [], null, aliases.ToImmutable());
    }

    /// <summary>What the setting names is what the first CA calls itself; another one is asked through its directory.</summary>
    private ImmutableArray<string> IdentitiesOf(CertificateAccount account, bool isFirst) =>
        isFirst && _options.CaaIdentities.Count > 0 ? [.. _options.CaaIdentities.Select(i => i.ToLowerInvariant())]
        : WellKnown.TryGetValue(account.Directory.Host, out var known) ? [known]
        : [.. account.CaaIdentities.Select(i => i.ToLowerInvariant())];

    private static DomainName? ParentOf(DomainName name) =>
        name.Value.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot && DomainName.TryParse(name.Value[(dot + 1)..], out var parent) ? parent : null;
}
