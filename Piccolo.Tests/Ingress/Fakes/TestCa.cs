using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>A root, an intermediate and leaves for one test.</summary>
internal sealed class TestCa : IDisposable
{
    /// <summary>As public CAs issue them.</summary>
    private const int LeafDays = 90;

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;

    public TestCa()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = Request("CN=Test Root", rootKey, isCa: true);
        _root = root.CreateSelfSigned(Now.AddDays(-2), Now.AddDays(180));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = Request("CN=Test Intermediate", key, isCa: true).Create(_root, Now.AddDays(-1), Now.AddDays(120), Serial());
        _intermediate = issued.CopyWithPrivateKey(key);
    }

    public X509Certificate2 Root => _root;

    public X509Certificate2 IssueLeaf(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request($"CN={names[0]}", key, isCa: false);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
        using var issued = request.Create(_intermediate, Now.AddDays(-1), Now.AddDays(LeafDays - 1), Serial());
        return issued.CopyWithPrivateKey(key);
    }

    public ServerCertificateBundle IssueBundle(params string[] names) =>
        new(IssueLeaf(names), [_intermediate], names.Select(DomainName.Parse));

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
    }

    private static CertificateRequest Request(string subject, ECDsa key, bool isCa)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isCa, false, 0, critical: true));
        return request;
    }

    private static byte[] Serial() => RandomNumberGenerator.GetBytes(8);
}
