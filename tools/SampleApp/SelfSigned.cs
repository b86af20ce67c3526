using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.SampleApp;

/// <summary>The certificate by which a client can tell that TLS ended in the app and nowhere before.</summary>
internal static class SelfSigned
{
    public static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=piccolo-sample", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("piccolo-sample");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(90));
    }

    /// <summary>SHA-256 of the certificate's DER, in lower-case hexadecimal.</summary>
    public static string Fingerprint(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
}
