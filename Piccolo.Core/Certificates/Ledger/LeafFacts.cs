using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Core.Certificates.Ledger;

/// <summary>What a leaf says about itself: the only source of dates and issuers that are shown.</summary>
/// <param name="Issuer">The issuer's common name, else its organization, else its whole name.</param>
/// <param name="Serial">Hexadecimal.</param>
/// <param name="FingerprintSha256">Of the whole certificate, lower-case hexadecimal.</param>
internal sealed record LeafFacts(
    ImmutableSortedSet<string> Names, string Issuer, string Serial, DateTimeOffset NotBefore, DateTimeOffset NotAfter, string FingerprintSha256)
{
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";

    public static LeafFacts From(X509Certificate2 leaf) => new(
        DnsNames(leaf), CommonNameOf(leaf.IssuerName), leaf.SerialNumber, new DateTimeOffset(leaf.NotBefore.ToUniversalTime()),
        new DateTimeOffset(leaf.NotAfter.ToUniversalTime()), Convert.ToHexStringLower(leaf.GetCertHash(HashAlgorithmName.SHA256)));

    private static ImmutableSortedSet<string> DnsNames(X509Certificate2 leaf)
    {
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames());
        return names.Select(n => n.ToLowerInvariant()).ToImmutableSortedSet(StringComparer.Ordinal);
    }

    internal static string CommonNameOf(X500DistinguishedName issuer)
    {
        try
        {
            var parts = issuer.EnumerateRelativeDistinguishedNames().Where(p => !p.HasMultipleElements).ToList();
            var best = parts.Find(p => p.GetSingleElementType().Value == CommonName) ?? parts.Find(p => p.GetSingleElementType().Value == Organization);
            return best?.GetSingleElementValue() ?? issuer.Name;
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return issuer.Name;
        }
    }
}
