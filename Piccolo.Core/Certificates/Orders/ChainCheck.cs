using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>
/// Whether a chain that a CA sent is what was ordered: our key, our names, sane dates, each certificate signed by the next. Nothing is stored that
/// did not pass. Pure.
/// </summary>
internal static class ChainCheck
{
    public const int MaxCertificates = 8;

    /// <summary>How far the CA's clock may be ahead of ours.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <returns>What the leaf says, or why the chain is refused.</returns>
    public static AcmeResult<LeafFacts> Check(string chainPem, AsymmetricAlgorithm key, IEnumerable<string> names, DateTimeOffset now)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            return Parse(chainPem, chain) ?? Check(chain, key, names, now);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            return Refused("bad_certificate", "The CA sent something that is not a certificate.");
        }
        finally
        {
            foreach (var certificate in chain) certificate.Dispose();
        }
    }

    private static AcmeFailure? Parse(string chainPem, X509Certificate2Collection chain)
    {
        chain.ImportFromPem(chainPem);
        return chain.Count is > 0 and <= MaxCertificates ? null : Refused("bad_chain", $"The CA sent {chain.Count} certificates.");
    }

    private static AcmeResult<LeafFacts> Check(X509Certificate2Collection chain, AsymmetricAlgorithm key, IEnumerable<string> names, DateTimeOffset now)
    {
        var leaf = chain[0];
        if (!leaf.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            return Refused("wrong_key", "The CA sent a certificate for a key that is not ours.");
        var facts = LeafFacts.From(leaf);
        if (!facts.Names.SetEquals(names.ToImmutableHashSet(StringComparer.Ordinal)) || HasForeignNames(leaf))
            return Refused("wrong_names", "The CA sent a certificate for other names than those ordered.");
        if (facts.NotBefore >= facts.NotAfter || facts.NotAfter <= now || facts.NotBefore > now + ClockTolerance)
            return Refused(
                "bad_dates",
                $"The CA sent a certificate that is valid from {facts.NotBefore:u} to {facts.NotAfter:u}, which does not include this device's now.");
        if (leaf.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault() is { } usage
            && !usage.EnhancedKeyUsages.Cast<Oid>().Any(o => o.Value == ServerAuthentication))
            return Refused("wrong_usage", "The CA sent a certificate that is not for servers.");
        for (var i = 0; i + 1 < chain.Count; i++)
        {
            if (!ChainLink.IsSignedBy(chain[i], chain[i + 1]))
                return Refused("broken_chain", "The CA sent a chain in which one certificate is not signed by the next.");
        }
        return facts;
    }

    /// <summary>Names of other kinds than DNS were never asked for.</summary>
    private static bool HasForeignNames(X509Certificate2 leaf) => leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().Any(e =>
    {
        // RFC 5280, 4.2.1.6: a sequence of names, each tagged with its kind; 2 is dNSName.
        var names = new AsnReader(e.RawData, AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
        {
            if (!names.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 2))) return true;
            names.ReadEncodedValue();
        }
        return false;
    });

    private static AcmeFailure Refused(string code, string detail) => AcmeFailure.Bad(code, detail);
}
