using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Vault;
using Piccolo.Rig.Acme;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>The newer Pebble with its DNS, and a web server that answers HTTP-01, per test.</summary>
internal abstract class PebbleFixture
{
    protected TemporaryFolder Folder { get; private set; } = null!;

    protected ChallengeTestServer Dns { get; private set; } = null!;

    protected Http01App Web { get; private set; } = null!;

    protected DataKey Key { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        Folder = new TemporaryFolder();
        Key = DataKey.Generate();
        Web = await Http01App.StartAsync();
        Dns = await ChallengeTestServer.StartAsync(Folder.Path);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await Dns.DisposeAsync();
        await Web.DisposeAsync();
        Key.Dispose();
        Folder.Dispose();
    }

    protected Task<PebbleServer> PebbleAsync(Func<PebbleOptions, PebbleOptions>? change = null, string name = "pebble")
    {
        var options = new PebbleOptions { HttpPort = Web.Port, DnsServer = Dns.DnsServer, Edition = PebbleEdition.Current };
        return PebbleServer.StartAsync(Path.Combine(Folder.Path, name), change?.Invoke(options) ?? options);
    }

    protected EngineHarness Harness(PebbleServer pebble, Action<AcmeOptions>? change = null, string folder = "state", TlsAlpn01Challenges? tls = null)
    {
        var options = new AcmeOptions { DirectoryUrl = pebble.DirectoryUrl, TrustedRootsFile = pebble.TrustFile };
        change?.Invoke(options);
        return new EngineHarness(Path.Combine(Folder.Path, folder), Key, options, challenges: Web.Challenges, tls: tls);
    }

    protected static async Task<CertificateEntry> IssueAsync(EngineHarness harness, string name = "web.home.test")
    {
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want(name)]);
        return await harness.UntilAsync("host:" + name, CertificateStatus.Ok);
    }

    protected static async Task<CertificateEntry> NextAsync(EngineHarness harness, CertificateEntry before) =>
        (await harness.UntilAsync(l => l.Any(e => e.Id == before.Id && e.Status == CertificateStatus.Ok && e.Serial != before.Serial)))
            .Single(e => e.Id == before.Id);

    protected static bool Verifies(ServerCertificateBundle bundle, string rootPem, string name = "web.home.test")
    {
        using var chain = new X509Chain();
        using var root = X509Certificate2.CreateFromPem(rootPem);
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.ExtraStore.AddRange(bundle.Context.IntermediateCertificates.ToArray());
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(bundle.Leaf) && bundle.Leaf.MatchesHostname(name);
    }
}
