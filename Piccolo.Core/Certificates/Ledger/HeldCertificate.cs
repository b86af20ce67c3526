using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Ledger;

/// <summary>A stored certificate as it is in memory: facts of its leaf, and the bundle that handshakes use. The record's key bytes are wiped.</summary>
internal sealed record HeldCertificate(CertificateRecord Record, LeafFacts Facts, ServerCertificateBundle Bundle)
{
    private readonly RenewalHintRecord? _hint;

    /// <summary>What the CA suggested for this very leaf.</summary>
    public RenewalHintRecord? Hint
    {
        get => _hint;
        init
        {
            _hint = value is { } hint && hint.Fingerprint == Facts.FingerprintSha256 ? hint : null;
            Renewal = Moment(Facts, Record, _hint);
        }
    }

    public RenewalMoment Renewal { get; private init; } = Moment(Facts, Record, null);

    public DateTimeOffset RenewAt => Renewal.At;

    /// <summary>For the CA's renewal information; null where the leaf gives none.</summary>
    public string? CertificateId { get; init; }

    public string KeyType { get; init; } = AcmeOptions.P256;

    public TimeSpan Lifetime => Facts.NotAfter - Facts.NotBefore;

    /// <exception cref="CryptographicException">Key and chain do not fit together or cannot be read.</exception>
    public static HeldCertificate From(CertificateRecord record)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(record.ChainPem);
        if (chain.Count == 0) throw new CryptographicException("The stored chain is empty.");
        using var key = LeafKey.Import(record.KeyPkcs8);
        using var bare = chain[0];
        var leaf = key.Attach(bare);
        chain.RemoveAt(0);
        var bundle = new ServerCertificateBundle(leaf, chain, record.Names.Select(DomainName.Parse));
        return new HeldCertificate(record with { KeyPkcs8 = [] }, LeafFacts.From(leaf), bundle)
        {
            CertificateId = RenewalInfoClient.CertificateId(leaf),
            KeyType = key.Type,
        };
    }

    /// <summary>Whether it is for exactly these names. Cheap: asked of every certificate in each pass.</summary>
    public bool Covers(WantedCertificate wanted)
    {
        foreach (var name in wanted.Names)
        {
            if (!Facts.Names.Contains(name.Value)) return false;
        }
        return Facts.Names.Count == (wanted.Names.Length == 1 ? 1 : wanted.Names.Distinct().Count());
    }

    private static RenewalMoment Moment(LeafFacts facts, CertificateRecord record, RenewalHintRecord? hint) => RenewalPolicy.Decide(
        facts.NotBefore, facts.NotAfter, record.RenewalShare, hint is { Start: { } start, End: { } end } ? (start, end) : null) with
    { Explanation = hint?.Explanation };
}
