using System.Net;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Demo.Staging;
using Piccolo.DevRelay;
using Piccolo.Rig.Acme;
using Piccolo.Rig.Stack;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Tools.Demo;

/// <summary>What <c>./dev verify-staging</c> does for an owner, against a relay and a CA on this machine.</summary>
[Category("Acme"), Category("NeedsPebble")]
internal sealed class StagingTests
{
    private const string Secret = "staging-secret";
    private const string Portal = "portal.home.test";

    private TempFolder _folder = null!;
    private ChallengeTestServer _dns = null!;
    private Relay _relay = null!;
    private PebbleServer _ca = null!;
    private X509Certificate2 _hub = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        var files = HubCertificate.Write(_folder.Path);
        _hub = X509Certificate2.CreateFromPemFile(files.CertificateFile, files.KeyFile);
        _relay = new Relay(new RelayOptions
        {
            Secret = Secret,
            HubCertificate = _hub,
            HubHost = "localhost",
            PublicPorts = [new PublicPort(new IPEndPoint(IPAddress.Loopback, 0), 443), new PublicPort(new IPEndPoint(IPAddress.Loopback, 0), 80)],
        });
        await _relay.StartAsync();
        _dns = await ChallengeTestServer.StartAsync(_folder.Path);
        _ca = await PebbleServer.StartAsync(_folder.Path, new PebbleOptions
        {
            HttpPort = PublicPort(80),
            TlsPort = PublicPort(443),
            DnsServer = _dns.DnsServer,
        });
        await File.WriteAllTextAsync(_folder.File("secret"), Secret + "\n");
    }

    [OneTimeTearDown]
    public async Task TearDown()
    {
        await _ca.DisposeAsync();
        await _dns.DisposeAsync();
        await _relay.DisposeAsync();
        _hub.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Run_AllInPlace_SeesTheCertificateFromOutside()
    {
        var (exit, printed) = await RunAsync(Arguments());

        Assert.That(exit, Is.Zero, printed);
        Assert.That(printed, Does.Match($"STAGING OK name={Portal} issuer=\"Pebble Intermediate CA"));
        foreach (var id in (string[])["names", "dns", "caa", "port_80"]) Assert.That(printed, Does.Contain($"CHECK {id} {Portal} pass"));
        Assert.That(printed, Does.Not.Contain(Secret));
        Assert.That(Directory.Exists(StateIn(printed)), Is.False, "nothing is left behind");
    }

    [Test, Category("Slow")]
    public async Task Run_WithRenewal_OrdersTwice()
    {
        var (exit, printed) = await RunAsync([.. Arguments(), "--renew"]);

        Assert.That(exit, Is.Zero, printed);
        Assert.That(printed, Does.Contain("RENEWAL OK"));
    }

    [Test, Category("Slow")]
    public async Task Run_NameThatLeadsNowhere_FailsWithCauseAndNextStep()
    {
        await _dns.SetServFailAsync("lost.home.test");
        using var output = new StringWriter();
        var (options, _) = StagingOptions.Parse([.. Arguments(), "--portal", "lost.home.test"]);

        var exit = await StagingCommand.RunAsync(options! with { Patience = TimeSpan.FromSeconds(25) }, output);

        Assert.That(exit, Is.EqualTo(1), output.ToString());
        Assert.That(output.ToString(), Does.Contain("CHECK dns lost.home.test fail").And.Match("FAILED challenge_failed .*lost.home.test.*(Check|Something)"));
    }

    [TestCase(false, 0, "--help")]
    [TestCase(false, 2, "--relay", "https://relay.test", "--secret-file", "x", "--domain", "home.test")]
    [TestCase(false, 2, "--relay", "wss://relay.test", "--domain", "home.test")]
    [TestCase(false, 2, "--relay", "wss://relay.test", "--secret-file", "x", "--domain", "home.test", "--directory", "http://ca.test/dir")]
    [TestCase(false, 2, "--relay", "wss://relay.test", "--secret-file", "x", "--domain", "home.test", "--minutes", "0")]
    [TestCase(false, 2, "--wrong")]
    [TestCase(false, 1, "--relay", "wss://relay.test", "--secret-file", "/nonexistent/secret", "--domain", "home.test",
        Description = "ends before anybody is asked")]
    [TestCase(true, 2, "--relay", "wss://relay.test", "--secret-file", "x", "--domain", "home.test",
        Description = "a build machine does not ask Let's Encrypt")]
    [TestCase(true, 2, "--relay", "wss://relay.test", "--secret-file", "x", "--domain", "home.test", "--directory", "https://ca.test/dir")]
    public async Task Run_Arguments_AreJudgedFirst(bool isCi, int exit, params string[] arguments)
    {
        using var output = new StringWriter();

        Assert.That(await StagingCommand.RunAsync(arguments, output, output, isCi), Is.EqualTo(exit), output.ToString());
    }

    [Test]
    public void Parse_Defaults_AreLetsEncryptStagingAndThePortal()
    {
        var (options, problem) = StagingOptions.Parse(["--relay", "wss://relay.test", "--secret-file", "x", "--domain", "home.test"]);

        Assert.That(problem, Is.Null);
        Assert.That((options!.Directory, options.Portal, options.IsOnThisMachine), Is.EqualTo((StagingOptions.LetsEncryptStaging, Portal, false)));
        Assert.That(options.Settings["Piccolo:Acme:DirectoryUrl"], Is.EqualTo("https://acme-staging-v02.api.letsencrypt.org/directory"));
    }

    private static async Task<(int Exit, string Printed)> RunAsync(string[] arguments)
    {
        using var output = new StringWriter();
        // As on a build machine: this CA is on this machine.
        var exit = await StagingCommand.RunAsync(arguments, output, output, isCi: true);
        TestContext.Out.WriteLine(output);
        return (exit, output.ToString());
    }

    private string[] Arguments() =>
    [
        "--relay", _relay.HubUri.ToString(), "--relay-roots", Path.Combine(_folder.Path, HubCertificate.CertificateName), "--secret-file",
        _folder.File("secret"), "--domain", "home.test",
        "--directory", _ca.DirectoryUrl.ToString(), "--ca-roots", _ca.TrustFile, "--minutes", "1",
        "--setting", $"Piccolo:Remote:ProbeResolver={_dns.DnsServer}", "--setting", $"Piccolo:Remote:ProbePorts:443={PublicPort(443)}", "--setting",
        $"Piccolo:Remote:ProbePorts:80={PublicPort(80)}",
    ];

    private int PublicPort(int advertised) => _relay.PublicPorts.Single(p => p.AdvertisedPort == advertised).Listen.Port;

    private static string StateIn(string printed) => printed.Split("state in ")[1].Split(',')[0];
}
