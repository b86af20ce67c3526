using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Vault;
using Piccolo.Rig.Acme;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>The engine against Let's Encrypt's own test CA, with HTTP-01 really fetched.</summary>
[Category("NeedsPebble"), Category("Acme")]
internal sealed class PebbleTests
{
    private TemporaryFolder _folder = null!;
    private ChallengeTestServer _dns = null!;
    private Http01App _web = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _web = await Http01App.StartAsync();
        _dns = await ChallengeTestServer.StartAsync(_folder.Path);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _dns.DisposeAsync();
        await _web.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase(0)]
    [TestCase(30)]
    [TestCase(60)]
    public async Task Order_NoncesRejected_GivesAVerifiedChain(int percent)
    {
        await using var pebble = await PebbleAsync(o => o with { NonceRejectPercent = percent });
        using var key = DataKey.Generate();
        await using var harness = Harness(pebble, key);
        await harness.StartAsync();
        var started = TimeProvider.System.GetTimestamp();

        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await harness.UntilAsync("host:web.home.test", CertificateStatus.Ok);

        TestContext.Out.WriteLine($"issued in {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0} ms, {_web.Answered} fetches");
        Assert.That(entry.Issuer, Does.StartWith("Pebble Intermediate CA"));
        Assert.That(_web.Answered, Is.GreaterThan(0), "the CA must have fetched the answer");
        var bundle = harness.Table.Find("web.home.test")!;
        Assert.That(Verifies(bundle, await pebble.RootPemAsync()), Is.True);
        Assert.That(bundle.Context.IntermediateCertificates, Has.Count.EqualTo(1), "a handshake sends the intermediate too");
        Assert.That(harness.Stored(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Order_SeveralNames_OneCertificateForAll()
    {
        await using var pebble = await PebbleAsync();
        using var key = DataKey.Generate();
        await using var harness = Harness(pebble, key);
        await harness.StartAsync();

        harness.Scheduler.Want([EngineHarness.Want("web.home.test", "www.home.test", "alias.example")]);
        await harness.UntilAsync("host:web.home.test", CertificateStatus.Ok);

        Assert.That(harness.Table.Find("alias.example"), Is.Not.Null.And.SameAs(harness.Table.Find("web.home.test")));
        Assert.That(harness.Log.Count(2000), Is.EqualTo(1));
    }

    [Test]
    public async Task Restart_CertificateStored_PlacesNoOrder()
    {
        await using var pebble = await PebbleAsync();
        using var key = DataKey.Generate();
        await using (var first = Harness(pebble, key))
        {
            await first.StartAsync();
            first.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await first.UntilAsync("host:web.home.test", CertificateStatus.Ok);
        }
        // With the CA gone an order could only fail.
        await pebble.DisposeAsync();

        await using var second = Harness(pebble, key);
        second.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await second.StartAsync();
        var entry = await second.UntilAsync("host:web.home.test", CertificateStatus.Ok);

        Assert.That(entry.NextAttempt, Is.EqualTo(entry.RenewAt));
        Assert.That(second.Table.Find("web.home.test"), Is.Not.Null);
        Assert.That(second.Log.Count(2002), Is.Zero, "no order may start: " + second.Log.Text);
        Assert.That(second.Attempts(), Is.Empty);
    }

    [Test]
    public async Task Order_NobodyAnswers_ChallengeFailedAndNothingSecretLogged()
    {
        _web.IsDeaf = true;
        await using var pebble = await PebbleAsync();
        using var key = DataKey.Generate();
        await using var harness = Harness(pebble, key);
        await harness.StartAsync();

        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var entry = await harness.UntilAsync("host:web.home.test", CertificateStatus.Error);

        Assert.That(entry.LastError!.Class, Is.EqualTo(AcmeFailureClass.ChallengeFailed));
        Assert.That(entry.LastError.Code, Does.StartWith("challenge_"));
        Assert.That(entry.NextAttempt, Is.GreaterThan(entry.LastAttempt!.Value));
        Assert.That(harness.Stored(), Is.Empty);
        Assert.That(_web.Tokens, Is.Not.Empty);
        foreach (var token in _web.Tokens)
        {
            Assert.That(_web.Challenges.Find("web.home.test", token), Is.Null, "the answer goes when the order ends");
            Assert.That(harness.Log.Text + entry.LastError, Does.Not.Contain(token));
        }
        Assert.That(harness.CertificatesHealth.Level, Is.EqualTo(Piccolo.Core.Health.HealthLevel.Degraded));
        Assert.That(harness.CertificatesHealth.Message, Does.Contain("web.home.test"));
    }

    [Test]
    public async Task Order_BlockedName_RejectedNameAndOthersIssued()
    {
        await using var pebble = await PebbleAsync(o => o with { BlockedNames = ["blocked.test"] });
        using var key = DataKey.Generate();
        await using var harness = Harness(pebble, key);
        await harness.StartAsync();

        harness.Scheduler.Want([EngineHarness.Want("web.blocked.test"), EngineHarness.Want("web.home.test")]);
        await harness.UntilAsync("host:web.home.test", CertificateStatus.Ok);
        var blocked = await harness.UntilAsync("host:web.blocked.test", CertificateStatus.Error);

        Assert.That(blocked.LastError!.Class, Is.EqualTo(AcmeFailureClass.RejectedName));
        Assert.That(blocked.LastError.Code, Is.EqualTo("rejected_identifier"));
    }

    [Test]
    public async Task Order_ExternalAccountRequired_BoundAccountIssuesUnboundIsTold()
    {
        const string MacKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
        await using var pebble = await PebbleAsync(o => o with { ExternalAccounts = new Dictionary<string, string> { ["kid-1"] = MacKey } });
        using var key = DataKey.Generate();
        using var elsewhere = new TemporaryFolder();

        await using var unbound = Harness(pebble, key, folder: elsewhere.Path);
        await unbound.StartAsync();
        unbound.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var refused = await unbound.UntilAsync("host:web.home.test", CertificateStatus.Error);
        await using var bound = Harness(pebble, key, o => o.ExternalAccount = new ExternalAccountOptions { KeyId = "kid-1", HmacKey = MacKey });
        await bound.StartAsync();
        bound.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        await bound.UntilAsync("host:web.home.test", CertificateStatus.Ok);

        Assert.That(refused.LastError!.Class, Is.EqualTo(AcmeFailureClass.Account));
        Assert.That(refused.LastError.Code, Is.EqualTo("external_account_required"));
    }

    [Test]
    public async Task Order_CaForgotTheAccount_RegistersTheSameKeyAgain()
    {
        var port = Piccolo.Rig.LoopbackPorts.Free(1)[0];
        using var key = DataKey.Generate();
        await using (var before = await PebbleAsync(o => o with { Port = port }))
        {
            await using var first = Harness(before, key);
            await first.StartAsync();
            first.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            await first.UntilAsync("host:web.home.test", CertificateStatus.Ok);
        }
        // A Pebble that starts anew knows nobody.
        await using var after = await PebbleAsync(o => o with { Port = port });
        await using var second = Harness(after, key);
        await second.StartAsync();

        second.Scheduler.Want([EngineHarness.Want("new.home.test")]);
        await second.UntilAsync("host:new.home.test", CertificateStatus.Ok);

        Assert.That(second.Log.Count(2004), Is.EqualTo(1));
    }

    [Test]
    public async Task Renewal_LifetimeOfSeconds_RenewsBeforeTheEnd()
    {
        // The CA's clock is the real one. A third of this is left when the renewal begins, which is time enough on a machine that has other things to do.
        await using var pebble = await PebbleAsync(o => o with { CertificateLifetime = TimeSpan.FromSeconds(24) });
        using var key = DataKey.Generate();
        await using var harness = Harness(pebble, key);
        await harness.StartAsync();

        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var first = await harness.UntilAsync("host:web.home.test", CertificateStatus.Ok);
        var second = (await harness.UntilAsync(l => l[0].Status == CertificateStatus.Ok && l[0].Serial != first.Serial))[0];

        Assert.That(second.NotBefore, Is.GreaterThan(first.NotBefore!.Value));
        Assert.That(second.IssuedAt, Is.LessThan(first.NotAfter!.Value), "renewed while the old one was valid");
    }

    [Test]
    public async Task Order_SeveralAtOnce_AllIssued()
    {
        await using var pebble = await PebbleAsync();
        using var key = DataKey.Generate();
        await using var harness = Harness(pebble, key);
        await harness.StartAsync();

        harness.Scheduler.Want([.. Enumerable.Range(0, 12).Select(i => EngineHarness.Want($"app{i}.home.test"))]);
        await harness.UntilAsync(l => l.Length == 12 && l.All(e => e.Status == CertificateStatus.Ok));

        Assert.That(harness.Log.Count(2003), Is.EqualTo(1), "one account for all");
        Assert.That(harness.Log.Entries.Where(e => e.Level >= LogLevel.Warning), Is.Empty);
    }

    private Task<PebbleServer> PebbleAsync(Func<PebbleOptions, PebbleOptions>? change = null)
    {
        var options = new PebbleOptions { HttpPort = _web.Port, DnsServer = _dns.DnsServer };
        return PebbleServer.StartAsync(Path.Combine(_folder.Path, "pebble"), change?.Invoke(options) ?? options);
    }

    private EngineHarness Harness(PebbleServer pebble, DataKey key, Action<AcmeOptions>? change = null, string? folder = null)
    {
        var options = new AcmeOptions { DirectoryUrl = pebble.DirectoryUrl, TrustedRootsFile = pebble.TrustFile };
        change?.Invoke(options);
        return new EngineHarness(folder ?? Path.Combine(_folder.Path, "state"), key, options, challenges: _web.Challenges);
    }

    private static bool Verifies(ServerCertificateBundle bundle, string rootPem)
    {
        using var chain = new X509Chain();
        using var root = X509Certificate2.CreateFromPem(rootPem);
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.ExtraStore.AddRange(bundle.Context.IntermediateCertificates.ToArray());
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(bundle.Leaf) && bundle.Leaf.MatchesHostname("web.home.test");
    }
}
