using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>A stored certificate as it is in memory: facts of its leaf, and the bundle that handshakes use. The record's key bytes are wiped.</summary>
internal sealed record HeldCertificate(CertificateRecord Record, LeafFacts Facts, ServerCertificateBundle Bundle, DateTimeOffset RenewAt)
{
    /// <exception cref="CryptographicException">Key and chain do not fit together or cannot be read.</exception>
    public static HeldCertificate From(CertificateRecord record)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(record.ChainPem);
        if (chain.Count == 0) throw new CryptographicException("The stored chain is empty.");
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(record.KeyPkcs8, out _);
        using var bare = chain[0];
        var leaf = bare.CopyWithPrivateKey(key);
        chain.RemoveAt(0);
        var facts = LeafFacts.From(leaf);
        var bundle = new ServerCertificateBundle(leaf, chain, record.Names.Select(DomainName.Parse));
        return new HeldCertificate(record with { KeyPkcs8 = [] }, facts, bundle, RenewalPolicy.RenewAt(facts.NotBefore, facts.NotAfter, record.RenewalShare));
    }

    public bool Covers(WantedCertificate wanted) => Facts.Names.SetEquals(wanted.Names.Select(n => n.Value).ToImmutableHashSet(StringComparer.Ordinal));
}
