using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>
/// One link of a chain, checked by itself: names meet, the issuer may sign, and its key made the signature (RFC 5280, 4.1.1). X509Chain would search
/// stores for other paths; here only the chain as sent counts. Pure.
/// </summary>
internal static class ChainLink
{
    public static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData)) return false;
        if (issuer.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is not { CertificateAuthority: true }) return false;
        try
        {
            return IsSignatureOf(certificate.RawData, issuer);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return false;
        }
    }

    /// <summary>A certificate is body, algorithm, signature.</summary>
    /// <exception cref="AsnContentException">It is none.</exception>
    private static bool IsSignatureOf(ReadOnlyMemory<byte> signedObject, X509Certificate2 issuer)
    {
        var parts = new AsnReader(signedObject, AsnEncodingRules.DER).ReadSequence();
        var signed = parts.ReadEncodedValue().ToArray();
        var algorithm = parts.ReadSequence().ReadObjectIdentifier();
        var signature = parts.ReadBitString(out _);
        if (HashOf(algorithm) is not { } hash) return false;
        if (IsEcdsa(algorithm))
        {
            using var ecdsa = issuer.GetECDsaPublicKey();
            return ecdsa?.VerifyData(signed, signature, hash, DSASignatureFormat.Rfc3279DerSequence) ?? false;
        }
        using var rsa = issuer.GetRSAPublicKey();
        return rsa?.VerifyData(signed, signature, hash, RSASignaturePadding.Pkcs1) ?? false;
    }

    private static bool IsEcdsa(string algorithm) => algorithm.StartsWith("1.2.840.10045.4.3.", StringComparison.Ordinal);

    // RFC 5758, 3.2 and RFC 4055, 5. What public CAs no longer sign with is no signature.
    private static HashAlgorithmName? HashOf(string algorithm) => algorithm switch
    {
        "1.2.840.10045.4.3.2" or "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256,
        "1.2.840.10045.4.3.3" or "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
        "1.2.840.10045.4.3.4" or "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
        _ => null,
    };
}
