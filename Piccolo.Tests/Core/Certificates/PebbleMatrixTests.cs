using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>The engine against every mood of Let's Encrypt's test CA.</summary>
[Category("Acme"), Category("NeedsPebble")]
internal sealed class PebbleMatrixTests : PebbleFixture
{
    [TestCase(0, 0, false)]
    [TestCase(5, 50, false)]
    [TestCase(60, 100, false)]
    [TestCase(5, 0, true)]
    public async Task Order_AnyMood_IsIssuedAndReused(int nonces, int reuse, bool strict)
    {
        await using var pebble = await PebbleAsync(o => o with { NonceRejectPercent = nonces, AuthorizationReusePercent = reuse, IsStrict = strict });
        await using var harness = Harness(pebble);

        var first = await IssueAsync(harness);
        var fetched = Web.Answered;
        // Another id for another set with the same name: what the CA believes already need not be shown again.
        harness.Scheduler.Want(
            [EngineHarness.Want("web.home.test"), new WantedCertificate("host:both", [.. EngineHarness.Want("web.home.test", "www.home.test").Names])]);
        await harness.UntilAsync("host:both", CertificateStatus.Ok);

        Assert.That(Verifies(harness.Table.Find("www.home.test")!, await pebble.RootPemAsync()), Is.True);
        var asked = Web.Tokens.Distinct().Count();
        if (reuse == 100) Assert.That(asked, Is.EqualTo(2), "the first name was believed");
        // A validation that this machine was too slow for is repeated with a token of its own.
        if (reuse == 0) Assert.That(asked, Is.GreaterThanOrEqualTo(3), $"each name was looked at anew\n{harness.Log.Text}");
        Assert.That(fetched, Is.GreaterThan(0));
        Assert.That(first.Renewal!.Source, Is.AnyOf(RenewalSource.Ari, RenewalSource.Lifetime));
    }

    [Test]
    public async Task Order_SlowValidation_IsWaitedFor()
    {
        await using var pebble = await PebbleAsync(o => o with { NoSleep = false, SleepSeconds = 3 });
        await using var harness = Harness(pebble);

        await IssueAsync(harness);

        Assert.That(harness.Log.Count(2001), Is.Zero, harness.Log.Text);
    }

    [Test]
    public async Task Order_LongChain_IsStoredWhole()
    {
        await using var pebble = await PebbleAsync(o => o with { ChainLength = 3 });
        await using var harness = Harness(pebble);

        await IssueAsync(harness);

        var bundle = harness.Table.Find("web.home.test")!;
        Assert.That(bundle.Context.IntermediateCertificates, Has.Count.EqualTo(3));
        Assert.That(Verifies(bundle, await pebble.RootPemAsync()), Is.True);
    }

    [Test]
    public async Task Order_AlternateRoots_PreferredOneIsTakenAnUnknownOneIsNoFailure()
    {
        await using var pebble = await PebbleAsync(o => o with { AlternateRoots = 2 });
        var wished = await pebble.RootPemAsync(alternate: 2);
        using var root = X509Certificate2.CreateFromPem(wished);
        var name = root.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        await using var harness = Harness(pebble, o => o.PreferredRoot = name);
        await using var other = Harness(pebble, o => o.PreferredRoot = "ISRG Root X9", folder: "other");

        await IssueAsync(harness);
        await IssueAsync(other, "other.home.test");

        Assert.That(Verifies(harness.Table.Find("web.home.test")!, wished), Is.True);
        Assert.That(Verifies(other.Table.Find("other.home.test")!, await pebble.RootPemAsync(), "other.home.test"), Is.True);
    }

    [TestCase(AcmeOptions.P256)]
    [TestCase(AcmeOptions.P384)]
    [TestCase(AcmeOptions.Rsa2048)]
    public async Task Order_KeyType_IsWhatServesAndComesBackFromTheStore(string type)
    {
        await using var pebble = await PebbleAsync();
        await using (var harness = Harness(pebble, o => o.KeyType = type)) Assert.That((await IssueAsync(harness)).KeyType, Is.EqualTo(type));
        await pebble.DisposeAsync();

        await using var again = Harness(pebble, o => o.KeyType = type);
        await IssueAsync(again);

        var leaf = again.Table.Find("web.home.test")!.Leaf;
        Assert.That(leaf.HasPrivateKey, Is.True);
        using AsymmetricAlgorithm key = type == AcmeOptions.Rsa2048 ? leaf.GetRSAPublicKey()! : leaf.GetECDsaPublicKey()!;
        Assert.That(LeafKey.TypeOf(key), Is.EqualTo(type));
    }

    [Test]
    public async Task Order_Profile_DecidesTheLifetimeAndIsKept()
    {
        await using var pebble = await PebbleAsync(o => o with { Profiles = new Dictionary<string, TimeSpan> { ["shortlived"] = TimeSpan.FromDays(6) } });
        await using var harness = Harness(pebble, o => o.Profile = "shortlived");

        var first = await IssueAsync(harness);
        var life = first.NotAfter!.Value - first.NotBefore!.Value;

        Assert.That(first.Profile, Is.EqualTo("shortlived"));
        Assert.That(life, Is.EqualTo(TimeSpan.FromDays(6)).Within(TimeSpan.FromMinutes(1)));
        Assert.That(first.RenewAt, Is.InRange(first.NotBefore.Value + (life / 3), first.NotBefore.Value + (life * 5 / 6)),
            "a share of six days, not days of ninety");
        await using var refused = Harness(pebble, o => o.Profile = "gold", folder: "refused");
        await refused.StartAsync();
        refused.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var error = (await refused.UntilAsync("host:web.home.test", CertificateStatus.Error)).LastError!;
        Assert.That((error.Class, error.Code), Is.EqualTo((AcmeFailureClass.RefusedRequest, "unknown_profile")));
        Assert.That(error.Detail, Does.Contain("shortlived"));
    }

    [Test]
    public async Task Order_IndependentClient_GetsOneFromTheSameCaAndOpensslVerifiesOurs()
    {
        await using var pebble = await PebbleAsync();
        await using var harness = Harness(pebble);
        await IssueAsync(harness);
        var root = Path.Combine(Folder.Path, "root.pem");
        await File.WriteAllTextAsync(root, await pebble.RootPemAsync());
        var chain = Path.Combine(Folder.Path, "chain.pem");
        await File.WriteAllTextAsync(chain, harness.Stored().Single().ChainPem);

        Assert.That(await RunAsync("openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "web.home.test", "-CAfile", root,
            "-untrusted", chain, chain]), Does.EndWith(": OK\n"));

        // lego puts its answers into files, which the same web server serves to the same CA.
        Web.Webroot = Path.Combine(Folder.Path, "webroot");
        Directory.CreateDirectory(Web.Webroot);
        var folder = Path.Combine(Folder.Path, "lego");
        await RunAsync(
            "lego",
            ["--server", pebble.DirectoryUrl.AbsoluteUri, "--accept-tos", "--email", "a@home.test", "--domains", "lego.home.test", "--http", "--http.webroot",
                Web.Webroot, "--path", folder, "run"],
            ("LEGO_CA_CERTIFICATES", pebble.TrustFile));
        var lego = Path.Combine(folder, "certificates", "lego.home.test.crt");
        Assert.That(await RunAsync("openssl", ["verify", "-verify_hostname", "lego.home.test", "-CAfile", root, "-untrusted", lego, lego]),
            Does.EndWith(": OK\n"));
    }

    private static async Task<string> RunAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.That(process.ExitCode, Is.Zero, $"{program}: {output} {await error}");
            return output;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
