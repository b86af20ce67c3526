using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Authorities;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

[Category("Nexus")]
internal sealed class RelayDialerTests
{
    private string _rootsFile = null!;
    private X509Certificate2 _root = null!;

    [SetUp]
    public void CreateRoot()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Scripted Root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        _root = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        _rootsFile = Path.GetTempFileName();
        File.WriteAllText(_rootsFile, _root.ExportCertificatePem());
    }

    [TearDown]
    public void DeleteRoot()
    {
        File.Delete(_rootsFile);
        _root.Dispose();
    }

    [Test]
    public async Task Tls_ACertificateUnderOurRoot_IsTrustedBesideTheSystems()
    {
        using var certificate = Issue("localhost");
        await using var relay = await ScriptedRelay.StartAsync(certificate);
        await using var under = new TunnelUnderTest(options => options.TrustedRootsFile = _rootsFile);

        await under.OpenAsync(relay, "web.home.test");

        Assert.That(relay.Endpoint.Scheme, Is.EqualTo("wss"));
    }

    [Test]
    public async Task Tls_WithoutOurRoot_IsRefusedAsUntrusted()
    {
        using var certificate = Issue("localhost");
        await using var relay = await ScriptedRelay.StartAsync(certificate);
        await using var under = new TunnelUnderTest();

        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));

        Assert.That((await under.UntilAsync(status => status.State == TunnelState.Refused)).Code, Is.EqualTo("certificate_untrusted"));
    }

    [Test]
    public async Task Tls_AnotherHostsCertificate_IsRefusedEvenUnderOurRoot()
    {
        using var certificate = Issue("elsewhere.test");
        await using var relay = await ScriptedRelay.StartAsync(certificate);
        await using var under = new TunnelUnderTest(options => options.TrustedRootsFile = _rootsFile);

        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var status = await under.UntilAsync(status => status.State == TunnelState.Refused);

        Assert.That(status.Reason, Does.Contain("another host name"));
    }

    [Test]
    public async Task Tls_AnExpiredCertificate_IsRefusedEvenUnderOurRoot()
    {
        using var certificate = Issue("localhost", expired: true);
        await using var relay = await ScriptedRelay.StartAsync(certificate);
        await using var under = new TunnelUnderTest(options => options.TrustedRootsFile = _rootsFile);

        under.Tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));

        Assert.That((await under.UntilAsync(status => status.State == TunnelState.Refused)).Code, Is.EqualTo("certificate_untrusted"));
    }

    [Test]
    public async Task BrokenTlsAfterTheLastToken_IsARefusalLikeABareClose()
    {
        using var certificate = Issue("localhost");
        await using var relay = await ScriptedRelay.StartAsync(certificate);
        using var way = new GarblingWay(relay.Endpoint.Port);
        await using var under = new TunnelUnderTest(options => options.TrustedRootsFile = _rootsFile);
        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri($"wss://localhost:{way.Port}"), "web.home.test"));
        var peer = await relay.NextAsync();
        peer.AnswersProbes = false;
        await peer.HandshakeAsync();
        await peer.NextAsync(frame => frame.IsControl("outbound_connect"));

        await way.GarbleAsync();
        var status = await under.UntilAsync(status => status.Code is not null);

        Assert.That((status.Code, status.Sessions), Is.EqualTo(("refused", 0)));
        Assert.That(status.NextStep, Is.Not.Empty);
    }

    [TestCase("not a pem\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    [TestCase(null)]
    public async Task TrustedRoots_UnreadableOrMissing_IsSaid(string? content)
    {
        if (content is null) File.Delete(_rootsFile);
        else await File.WriteAllTextAsync(_rootsFile, content);
        await using var under = new TunnelUnderTest(options => options.TrustedRootsFile = _rootsFile);

        under.Tunnel.SetTarget(TunnelUnderTest.Target(new Uri("wss://127.0.0.1:1"), "web.home.test"));

        Assert.That((await under.UntilAsync(status => status.State == TunnelState.Refused)).Code, Is.EqualTo("trusted_roots_unreadable"));
    }

    private X509Certificate2 Issue(string host, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        if (host != "localhost") names.AddIpAddress(IPAddress.Parse("192.0.2.1"));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var now = TimeProvider.System.GetUtcNow();
        using var issued = request.Create(_root, now.AddHours(-20), expired ? now.AddHours(-10) : now.AddDays(10), RandomNumberGenerator.GetBytes(8));
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
