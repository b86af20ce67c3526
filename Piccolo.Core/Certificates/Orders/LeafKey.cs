using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Acme.Options;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>The private key of a certificate: ECDSA or RSA behind one face. Owns the key.</summary>
internal sealed class LeafKey : IDisposable
{
    private const string RsaEncryption = "1.2.840.113549.1.1.1";

    private LeafKey(AsymmetricAlgorithm key) => Algorithm = key;

    public AsymmetricAlgorithm Algorithm { get; }

    /// <summary>One of the names that <see cref="AcmeOptions.KeyType"/> takes, or what it is otherwise.</summary>
    public string Type => TypeOf(Algorithm);

    public static LeafKey Create(string type) => new(type switch
    {
        AcmeOptions.P384 => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        AcmeOptions.Rsa2048 => RSA.Create(2048),
        _ => ECDsa.Create(ECCurve.NamedCurves.nistP256),
    });

    /// <exception cref="CryptographicException">No private key of a kind that is known here.</exception>
    public static LeafKey Import(byte[] pkcs8)
    {
        AsymmetricAlgorithm key = AlgorithmOf(pkcs8) == RsaEncryption ? RSA.Create() : ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            return new LeafKey(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    public static string TypeOf(AsymmetricAlgorithm key) => key is RSA ? $"RSA-{key.KeySize}" : $"P-{key.KeySize}";

    public byte[] Export() => Algorithm.ExportPkcs8PrivateKey();

    /// <summary>
    /// The request that the CA is sent. The subject stays empty: names live in the extension (RFC 8555, 7.4; the common name is deprecated by the CAs).
    /// </summary>
    public byte[] SigningRequest(IEnumerable<string> names)
    {
        var request = Request();
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternative.AddDnsName(name);
        request.CertificateExtensions.Add(alternative.Build());
        return request.CreateSigningRequest();
    }

    public X509Certificate2 Attach(X509Certificate2 bare) => Algorithm is RSA rsa ? bare.CopyWithPrivateKey(rsa) : bare.CopyWithPrivateKey((ECDsa)Algorithm);

    public void Dispose() => Algorithm.Dispose();

    private CertificateRequest Request() => Algorithm is RSA rsa
        ? new CertificateRequest(new X500DistinguishedName(""), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : new CertificateRequest(
            new X500DistinguishedName(""), (ECDsa)Algorithm, Algorithm.KeySize > 256 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256);

    private static string AlgorithmOf(byte[] pkcs8)
    {
        try
        {
            // PrivateKeyInfo (RFC 5208, 5): version, algorithm, key.
            var info = new AsnReader(pkcs8, AsnEncodingRules.DER).ReadSequence();
            info.ReadInteger();
            return info.ReadSequence().ReadObjectIdentifier();
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException("This is no private key.", e);
        }
    }
}
