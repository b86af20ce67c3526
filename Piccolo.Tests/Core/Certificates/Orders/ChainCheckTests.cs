using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Tests.Fakes.Authorities;

namespace Piccolo.Tests.Core.Certificates.Orders;

[Category("Acme")]
internal sealed class ChainCheckTests
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly TestAuthority _authority = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [OneTimeTearDown]
    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }

    [Test]
    public void Check_TrueChain_TellsTheLeafsFacts()
    {
        var facts = ChainCheck.Check(_authority.IssueChain(Request("web.test", "www.test")), _key, ["web.test", "www.test"], Now).Value;

        Assert.That(facts.Issuer, Is.EqualTo("Test Intermediate"));
        Assert.That(facts.Names, Is.EqualTo(new[] { "web.test", "www.test" }));
        Assert.That(facts.NotAfter, Is.EqualTo(Now.AddDays(90)).Within(TimeSpan.FromMinutes(1)));
        Assert.That(facts.FingerprintSha256, Has.Length.EqualTo(64));
    }

    [Test]
    public void Check_WholeChainWithRoot_Passes() =>
        Assert.That(Code(_authority.IssueChain(Request("web.test")) + "\n" + _authority.Root.ExportCertificatePem()), Is.Null);

    [Test]
    public void Check_ForeignKey_Refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.That(Code(_authority.IssueChain(TestAuthority.Request(other, "web.test"))), Is.EqualTo("wrong_key"));
    }

    [Test]
    public void Check_OtherName_Refused() => Assert.That(Code(_authority.IssueChain(Request("evil.test"))), Is.EqualTo("wrong_names"));

    [Test]
    public void Check_MoreNamesThanOrdered_Refused() => Assert.That(Code(_authority.IssueChain(Request("web.test", "evil.test"))), Is.EqualTo("wrong_names"));

    [Test]
    public void Check_AddressBesideTheName_Refused() => Assert.That(Code(_authority.IssueChain(Request("web.test", "10.0.0.1"))), Is.EqualTo("wrong_names"));

    [Test]
    public void Check_NameOfAnotherKindBesideIt_Refused([Values] bool isUri)
    {
        var request = new CertificateRequest("CN=x", _key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("web.test");
        if (isUri) names.AddUri(new Uri("https://evil.test/"));
        else names.AddEmailAddress("me@evil.test");
        request.CertificateExtensions.Add(names.Build());

        Assert.That(Code(_authority.IssueChain(request)), Is.EqualTo("wrong_names"));
    }

    [TestCase(-48, -24, Description = "expired")]
    [TestCase(24, 48, Description = "not yet valid")]
    public void Check_DatesWithoutNow_Refused(int from, int to) =>
        Assert.That(Code(_authority.IssueChain(Request("web.test"), TimeSpan.FromHours(from), TimeSpan.FromHours(to))), Is.EqualTo("bad_dates"));

    [Test]
    public void Check_IntermediateOfAnotherCa_Refused()
    {
        // Same names, other keys: only the signature tells.
        using var other = new TestAuthority();
        using var leaf = _authority.Issue(Request("web.test"));

        Assert.That(Code(leaf.ExportCertificatePem() + "\n" + other.IntermediatePem), Is.EqualTo("broken_chain"));
    }

    [Test]
    public void Check_UnrelatedCertificateAfterTheLeaf_Refused()
    {
        using var leaf = _authority.Issue(Request("web.test"));

        Assert.That(Code(leaf.ExportCertificatePem() + "\n" + _authority.Root.ExportCertificatePem()), Is.EqualTo("broken_chain"));
    }

    [Test]
    public void Check_IssuerThatIsNoCa_Refused()
    {
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issuer = new CertificateRequest("CN=Leaf as issuer", issuerKey, HashAlgorithmName.SHA256).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(9));
        var leaf = Request("web.test").Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), Now.AddHours(-1), Now.AddDays(1), [5]);

        Assert.That(Code(leaf.ExportCertificatePem() + "\n" + issuer.ExportCertificatePem()), Is.EqualTo("broken_chain"));
    }

    [TestCase("", "bad_chain")]
    [TestCase("hello", "bad_chain")]
    [TestCase("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "bad_certificate")]
    [TestCase("-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----", "bad_chain")]
    public void Check_NoCertificate_Refused(string pem, string code) => Assert.That(Code(pem), Is.EqualTo(code));

    [Test]
    public void Check_HundredCertificates_Refused() =>
        Assert.That(Code(string.Concat(Enumerable.Repeat(_authority.IntermediatePem + "\n", 100))), Is.EqualTo("bad_chain"));

    private CertificateRequest Request(params string[] names) => TestAuthority.Request(_key, names);

    private string? Code(string pem) => ChainCheck.Check(pem, _key, ["web.test"], Now).Failure?.Code;
}
