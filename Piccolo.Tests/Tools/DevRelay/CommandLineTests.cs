using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay;

[Category("DevRelay")]
internal sealed class CommandLineTests
{
    private string _directory = "";

    [SetUp]
    public void CreateDirectory() => _directory = Directory.CreateTempSubdirectory("devrelay-").FullName;

    [TearDown]
    public void DeleteDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void Parse_AllOptions_AreTaken()
    {
        var options = CommandLine.Parse(
            ["--secret-file", Secret(), "--hub", "127.0.0.1:9443", "--public", "127.0.0.1:18443=443", "--public", "[::1]:8080", "--control", "127.0.0.1:7000",
             "--idle-timeout", "60", "--tcp-claims", "22,2222", "--fixed-pools", "--cert", Pem("cert"), "--key", Pem("key"), "--hub-host", "relay.home.test"],
             out var verbose);

        Assert.That((options.Secret, verbose, options.StockEmptyPools, options.IdleTimeout), Is.EqualTo(("s3cret", false, false, TimeSpan.FromSeconds(60))));
        Assert.That(options.PublicPorts.Select(p => $"{p.Listen}={p.AdvertisedPort}"), Is.EqualTo(["127.0.0.1:18443=443", "[::1]:8080=8080"]));
        Assert.That(options.HubCertificate!.HasPrivateKey, Is.True);
        Assert.That((options.HubChain.Count, options.HubHost, options.AllowedTcpPortClaims.Count), Is.EqualTo((0, "relay.home.test", 2)));
    }

    [TestCase("--hub 127.0.0.1:0")]
    [TestCase("--secret-file SECRET --nonsense")]
    [TestCase("--secret-file SECRET --hub")]
    [TestCase("--secret-file SECRET --hub 127.0.0.1")]
    [TestCase("--secret-file SECRET --public 127.0.0.1:1=99999")]
    [TestCase("--secret-file SECRET --tcp-claims 0")]
    [TestCase("--secret-file SECRET --cert only.pem")]
    [TestCase("--secret-file EMPTY")]
    public void Parse_BadCommandLine_SaysWhy(string line)
    {
        var empty = Path.Combine(_directory, "empty");
        File.WriteAllText(empty, "\n");
        var args = line.Replace("SECRET", Secret(), StringComparison.Ordinal).Replace("EMPTY", empty, StringComparison.Ordinal).Split(' ');

        Assert.That(() => CommandLine.Parse(args, out _), Throws.ArgumentException.With.Message.Contains("--"));
    }

    [Test, Category("NeedsProcess")]
    public async Task Process_PrintsItsEndPointsServesAndStopsOnSigterm()
    {
        using var relay = Start("--secret-file", Secret(), "--public", "127.0.0.1:0=443", "--control", "127.0.0.1:0");
        var line = await relay.StandardOutput.ReadLineAsync().WaitAsync(ScriptedBackend.Patience);
        var ready = JsonNode.Parse(line!)!;
        Assert.That((string)ready["hub"]!, Does.Match(@"^ws://127\.0\.0\.1:\d+/connect$"));
        Assert.That((int)ready["public"]![0]!["advertised"]!, Is.EqualTo(443));
        using var http = new HttpClient(new SocketsHttpHandler()) { Timeout = ScriptedBackend.Patience };
        Assert.That(await http.GetStringAsync($"{ready["control"]}/healthz"), Does.Contain("ok"));

        using var kill = Process.Start(new ProcessStartInfo("kill", ["-TERM", relay.Id.ToString(CultureInfo.InvariantCulture)]));

        await relay.WaitForExitAsync().WaitAsync(ScriptedBackend.Patience);
        Assert.That(relay.ExitCode, Is.Zero);
    }

    [Test, Category("NeedsProcess")]
    public async Task Process_WithoutSecret_Exits2AndSaysSo()
    {
        using var relay = Start("--hub", "127.0.0.1:0");

        var error = await relay.StandardError.ReadToEndAsync().WaitAsync(ScriptedBackend.Patience);
        await relay.WaitForExitAsync().WaitAsync(ScriptedBackend.Patience);

        Assert.That(relay.ExitCode, Is.EqualTo(2));
        Assert.That(error, Does.Contain("--secret-file"));
    }

    private static Process Start(params string[] args)
    {
        var assembly = typeof(Relay).Assembly.Location;
        return Process.Start(new ProcessStartInfo("dotnet", [assembly, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private string Secret()
    {
        var path = Path.Combine(_directory, "secret");
        File.WriteAllText(path, "s3cret\n");
        return path;
    }

    private string Pem(string kind)
    {
        var path = Path.Combine(_directory, kind + ".pem");
        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(TestCertificate.Hub);
        File.WriteAllText(path, kind == "cert" ? TestCertificate.Hub.ExportCertificatePem() : key!.ExportPkcs8PrivateKeyPem());
        return path;
    }
}
