using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Tests.Fakes.Authorities;

/// <summary>A root and an intermediate, and whatever leaves a test wants below them.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly RSA _intermediateKey = RSA.Create(2048);
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly X509Certificate2 _intermediate;

    /// <summary>What leaves call the intermediate's key: part of a certificate's id in renewal information (RFC 9773, 4.1).</summary>
    private static ReadOnlySpan<byte> KeyIdentifier => "test-intermediate-key"u8;

    public TestAuthority()
    {
        Root = Authority("CN=Test Root, O=Tests", _rootKey).CreateSelfSigned(_now.AddDays(-1), _now.AddYears(10));
        var request = new CertificateRequest("CN=Test Intermediate, O=Tests", _intermediateKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        _intermediate = request.Create(Root.SubjectName, X509SignatureGenerator.CreateForECDsa(_rootKey), _now.AddHours(-2), _now.AddYears(5), [2]);
    }

    public X509Certificate2 Root { get; }

    public X509Certificate2 Intermediate => _intermediate;

    public string IntermediatePem => _intermediate.ExportCertificatePem();

    /// <summary>Leaf first, then the intermediate.</summary>
    public string IssueChain(CertificateRequest request, TimeSpan? notBefore = null, TimeSpan? notAfter = null) =>
        Issue(request, notBefore, notAfter).ExportCertificatePem() + "\n" + IntermediatePem;

    public X509Certificate2 Issue(CertificateRequest request, TimeSpan? notBefore = null, TimeSpan? notAfter = null)
    {
        var serial = RandomNumberGenerator.GetBytes(12);
        serial[0] = 1;
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(KeyIdentifier));
        return request.Create(
            _intermediate.SubjectName, X509SignatureGenerator.CreateForRSA(_intermediateKey, RSASignaturePadding.Pkcs1),
            _now + (notBefore ?? TimeSpan.FromHours(-1)), _now + (notAfter ?? TimeSpan.FromDays(90)), serial);
    }

    public static CertificateRequest Request(ECDsa key, params string[] names)
    {
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternative.AddIpAddress(address);
            else alternative.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternative.Build());
        return request;
    }

    /// <summary>For a listener on 127.0.0.1, signed by the root itself.</summary>
    public X509Certificate2 IssueServer()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(key, "127.0.0.1", "localhost");
        using var bare = request.Create(Root.SubjectName, X509SignatureGenerator.CreateForECDsa(_rootKey), _now.AddHours(-1), _now.AddYears(1), [3]);
        return bare.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        Root.Dispose();
        _intermediate.Dispose();
        _rootKey.Dispose();
        _intermediateKey.Dispose();
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request;
    }
}
