using System.Globalization;
using System.Text.RegularExpressions;
using static Piccolo.Tests.Interop.InteropRig;

namespace Piccolo.Tests.Interop;

/// <summary>What OpenSSL's own client sees of a terminated name.</summary>
[Category("Interop")]
[Category("NeedsProcess")]
internal sealed partial class OpenSslTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: " + Host + "\r\nConnection: close\r\n\r\n";

    private InteropRig _rig = null!;

    [SetUp]
    public async Task SetUp() => _rig = await StartAsync();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [TestCase("-tls1_2", "TLSv1.2")]
    [TestCase("-tls1_3", "TLSv1.3")]
    public async Task Handshake_Verified_GetsTheFullChainAnAnswerAndCloseNotify(string option, string version)
    {
        var run = await ConnectAsync(Host, Request, option, "-CAfile", _rig.RootFile, "-verify_return_error", "-verify_hostname", Host, "-showcerts");

        Assert.That(run.ExitCode, Is.Zero, run.Output);
        Assert.That(run.Output, Does.Contain("Verify return code: 0 (ok)").And.Contain($"New, {version}").And.Contain($"hello from {Host}"));
        Assert.That(Regex.Count(run.Output, "BEGIN CERTIFICATE"), Is.EqualTo(2), "leaf and intermediate");
        Assert.That(run.Output, Does.Not.Contain("unexpected eof"), "close_notify came");
    }

    [TestCase("-tls1_2")]
    [TestCase("-tls1_3")]
    public async Task Session_OfTheSameName_IsResumed(string option)
    {
        var session = _rig.File("session");
        await ConnectAsync(Host, Request, option, "-sess_out", session);

        var second = await ConnectAsync(Host, Request, option, "-sess_in", session);

        Assert.That(second.Output, Does.Contain("Reused, TLS").And.Contain($"hello from {Host}"));
    }

    [TestCase("-tls1_2")]
    [TestCase("-tls1_3")]
    public async Task Session_OfAnotherName_IsNotTaken(string option)
    {
        _rig.Door.PublishApp("other", _rig.App.Port);
        var session = _rig.File("session");
        await ConnectAsync(Host, Request, option, "-sess_out", session);

        var other = await ConnectAsync("other.home.test", Request.Replace(Host, "other.home.test", StringComparison.Ordinal), option, "-sess_in", session,
            "-CAfile", _rig.RootFile, "-verify_hostname", "other.home.test");

        Assert.That(other.Output, Does.Contain("New, TLS").And.Contain("Verify return code: 0 (ok)").And.Contain("hello from other.home.test"));
    }

    [TestCase("-tls1_2")]
    [TestCase("-tls1_3")]
    public async Task Session_OfAnotherNameUnderTheSameCertificate_FollowsTheRulesOfTheNameThatIsAsked(string option)
    {
        using var raw = _rig.PublishRaw("mail", withCertificate: false);
        _rig.Door.ReplaceCertificate(Host);
        _rig.Door.AddCertificate("mail.home.test", Host);
        var session = _rig.File("session");
        await ConnectAsync(Host, Request, option, "-sess_out", session, "-alpn", "http/1.1");

        var mail = await ConnectAsync("mail.home.test", "", option, "-sess_in", session, "-alpn", "http/1.1");

        Assert.That(mail.Output, Does.Contain("220 raw").And.Contain("No ALPN negotiated"));
    }

    [TestCase("h2,http/1.1", "ALPN protocol: h2")]
    [TestCase("http/1.1", "ALPN protocol: http/1.1")]
    [TestCase("http/1.1,h2", "ALPN protocol: h2")]
    public async Task Alpn_OfAnHttpListener_PrefersHttp2(string offered, string expected) =>
        Assert.That((await ConnectAsync(Host, "Q\n", "-alpn", offered)).Output, Does.Contain(expected));

    [Test]
    public async Task Alpn_OfARawListener_IsNotAnswered()
    {
        using var raw = _rig.PublishRaw("mail");

        Assert.That((await ConnectAsync("mail.home.test", "", "-alpn", "h2,imap")).Output, Does.Contain("No ALPN negotiated").And.Contain("220 raw"));
    }

    [Test]
    public async Task WrongName_GetsTheFatalAlert()
    {
        var run = await ConnectAsync("unknown.home.test", "");

        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Output, Does.Contain("SSL alert number 112").And.Contain("no peer certificate available"));
    }

    [Test]
    public async Task NoName_OnThisMachine_GetsTheDeviceCertificateAndNoNamesOne()
    {
        var run = await RunAsync("Q\n", "-noservername", "-CAfile", _rig.RootFile);

        Assert.That(run.Output, Does.Contain("self-signed certificate").Or.Contain("self signed certificate"));
        Assert.That(run.Output, Does.Not.Contain(Host).And.Not.Contain("Test Intermediate"));
    }

    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", true)]
    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384", true)]
    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305", true)]
    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256", false)]
    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA", false)]
    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-CCM", false)]
    [TestCase("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", true)]
    [TestCase("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", true)]
    [TestCase("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256", false)]
    [TestCase("-tls1_1", "-cipher", "ALL:@SECLEVEL=0", false)]
    public async Task Suite_IsSpokenExactlyWhenItIsInMozillasIntermediateList(string version, string option, string suite, bool spoken)
    {
        var run = await ConnectAsync(Host, "Q\n", version, option, suite);

        Assert.That(run.Output, spoken ? Does.Contain($"Cipher is {suite}") : Does.Contain("Cipher is (NONE)"));
    }

    [Test]
    public async Task Group_IsPostQuantumWhereOpenSslOffersIt()
    {
        var version = Version.Parse(VersionNumber().Match((await ToolRun.OfAsync("openssl", ["version"])).Output).Value);

        var run = await ConnectAsync(Host, "Q\n", "-tls1_3");

        Assert.That(run.Output, version >= new Version(3, 5) ? Does.Contain("X25519MLKEM768") : Does.Contain("Server Temp Key: X25519,"));
    }

    private Task<ToolRun> ConnectAsync(string name, string input, params string[] options) => RunAsync(input, ["-servername", name, .. options]);

    /// <summary>With a request the connection ends when the server ends it, else with the client's input.</summary>
    private Task<ToolRun> RunAsync(string input, params string[] options) => ToolRun.OfAsync(
        "openssl", ["s_client", "-connect", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_rig.Port}"), .. options,
            .. input == "Q\n" ? (string[])[] : ["-ign_eof"]], input);

    [GeneratedRegex("[0-9]+\\.[0-9]+")]
    private static partial Regex VersionNumber();
}
