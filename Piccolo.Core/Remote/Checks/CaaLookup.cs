using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Naming;

namespace Piccolo.Core.Remote.Checks;

/// <summary>The CAA records that decide about a name.</summary>
/// <param name="At">Where they were found; null when there are none up to the root.</param>
/// <param name="Failure">One sentence; null when DNS answered.</param>
public sealed record CaaFinding(DomainName? At, ImmutableArray<CaaProperty> Properties, string? Failure);

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

    private readonly PublicNames _dns;
    private readonly ICertificateStore _store;
    private readonly AcmeOptions _acme;
    private readonly RemoteOptions _options;

    internal CaaLookup(PublicNames dns, ICertificateStore store, IOptions<AcmeOptions> acme, IOptions<RemoteOptions> options) =>
        (_dns, _store, _acme, _options) = (dns, store, acme.Value, options.Value);

    public CaaSubject Us
    {
        get
        {
            ImmutableArray<string> identities = _options.CaaIdentities.Count > 0 ? [.. _options.CaaIdentities.Select(i => i.ToLowerInvariant())]
                : WellKnown.TryGetValue(_acme.DirectoryUrl.Host, out var known) ? [known]
                : [];
            return new CaaSubject(identities, AccountUrl());
        }
    }

    /// <summary>The challenge by which the next order will prove a name, as <c>validationmethods</c> has it (RFC 8657, 4).</summary>
    public string Method => _acme.Challenge == AcmeOptions.TlsAlpn01 ? AcmeOptions.TlsAlpn01 : AcmeOptions.Http01;

    /// <summary>From the name upwards, the first that has any (RFC 8659, 3).</summary>
    public async Task<CaaFinding> FindAsync(DomainName name, CancellationToken cancellationToken)
    {
        for (var at = name; at is not null; at = ParentOf(at))
        {
            var answer = await _dns.CaaAsync(at, cancellationToken);
            // A CA must not issue when DNS cannot say (RFC 8659, 6): so neither do we guess. A name that does not exist has no records.
            if (answer is { Failure: { } failure, NoSuchName: false }) return new CaaFinding(null, [], failure);
            if (!answer.Records.IsEmpty) return new CaaFinding(at, answer.Records, null);
        }
        return new CaaFinding(null, [], null);
    }

    private Uri? AccountUrl()
    {
        try
        {
            if (!_store.IsOpen) return null;
            var account = _store.Account(_acme.DirectoryUrl);
            CryptographicOperations.ZeroMemory(account?.KeyPkcs8);
            CryptographicOperations.ZeroMemory(account?.NextKeyPkcs8);
            return account?.Url;
        }
        catch (CertificateStoreClosedException)
        {
            // Locked between the two.
            return null;
        }
    }

    private static DomainName? ParentOf(DomainName name) =>
        name.Value.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot && DomainName.TryParse(name.Value[(dot + 1)..], out var parent) ? parent : null;
}
