using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Hosting;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>Renewal information, revocation, accounts and TLS-ALPN-01 with a real CA.</summary>
[Category("Acme"), Category("NeedsPebble")]
internal sealed class PebbleRenewalTests : PebbleFixture
{
    [Test]
    public async Task Hint_WindowInThePast_RenewsAndNamesWhatItReplaces()
    {
        await using var pebble = await PebbleAsync();
        await using var harness = Harness(pebble);
        var first = await IssueAsync(harness);
        var hinted = (await harness.UntilAsync(l => l.Single().Renewal?.Source == RenewalSource.Ari)).Single();
        Assert.That(hinted.Renewal!.At, Is.InRange(hinted.Renewal.Start, hinted.Renewal.End));
        await harness.StopAsync();

        var now = TimeProvider.System.GetUtcNow();
        await pebble.SuggestWindowAsync(harness.Table.Find("web.home.test")!.Leaf.ExportCertificatePem(), now.AddHours(-2), now.AddHours(-1));
        await harness.DisposeAsync();
        // A day later, as this device sees it: then the CA is asked again, and wants the renewal at once.
        var later = new ShiftedTime { Offset = TimeSpan.FromDays(2) };
        await using var next = new EngineHarness(
            Path.Combine(Folder.Path, "state"), Key, new AcmeOptions { DirectoryUrl = pebble.DirectoryUrl, TrustedRootsFile = pebble.TrustFile }, later,
            Web.Challenges);
        await next.StartAsync();
        next.Scheduler.Want([EngineHarness.Want("web.home.test")]);
        var renewed = await NextAsync(next, first);

        Assert.That(renewed.Serial, Is.Not.EqualTo(first.Serial));
        // Pebble looks a serial up by its digits without the zero byte that DER puts before a high bit, and then does not find it.
        var isUnknownToPebble = Convert.FromHexString(first.Serial!).SkipWhile(b => b == 0).First() >= 0x80;
        if (isUnknownToPebble) Assert.That(next.Log.Count(2019), Is.EqualTo(1), next.Log.Text);
        else Assert.That(await File.ReadAllTextAsync(pebble.LogFile), Does.Contain("ARI: order").And.Contain("is a replacement of"));
    }

    [Test]
    public async Task Hint_CertificateRevokedBehindOurBack_RenewsAtOnce()
    {
        await using var pebble = await PebbleAsync();
        CertificateEntry first;
        await using (var harness = Harness(pebble))
        {
            first = await IssueAsync(harness);
            using var account = (await harness.Authority.Accounts.GetAsync(null, default)).Value;
            Assert.That(await harness.Authority.Client.RevokeAsync(account, harness.Table.Find("web.home.test")!.Leaf.RawData, reason: 1, default), Is.Null);
            Assert.That(await harness.Authority.Client.RevokeAsync(account, harness.Table.Find("web.home.test")!.Leaf.RawData, reason: 1, default), Is.Null,
                "revoked already is as good");
        }
        var later = new ShiftedTime { Offset = TimeSpan.FromDays(2) };
        await using var next = new EngineHarness(
            Path.Combine(Folder.Path, "state"), Key, new AcmeOptions { DirectoryUrl = pebble.DirectoryUrl, TrustedRootsFile = pebble.TrustFile }, later,
            Web.Challenges);
        await next.StartAsync();
        next.Scheduler.Want([EngineHarness.Want("web.home.test")]);

        var renewed = await NextAsync(next, first);

        Assert.That(await pebble.StatusAsync(first.Serial!), Is.EqualTo("Revoked"));
        Assert.That(await pebble.StatusAsync(renewed.Serial!), Is.EqualTo("Valid"));
    }

    [Test]
    public async Task Profile_NoLongerConfigured_IsKeptOnRenewal()
    {
        await using var pebble = await PebbleAsync(o => o with { Profiles = new Dictionary<string, TimeSpan> { ["shortlived"] = TimeSpan.FromDays(6) } });
        await using (var harness = Harness(pebble, o => o.Profile = "shortlived")) await IssueAsync(harness);
        var later = new ShiftedTime { Offset = TimeSpan.FromMinutes(5) };
        await using var next = new EngineHarness(
            Path.Combine(Folder.Path, "state"), Key, new AcmeOptions { DirectoryUrl = pebble.DirectoryUrl, TrustedRootsFile = pebble.TrustFile }, later,
            Web.Challenges);
        var first = await IssueAsync(next);

        Assert.That(next.Scheduler.RenewNow(first.Id), Is.True);
        var renewed = await NextAsync(next, first);

        Assert.That(renewed.Profile, Is.EqualTo("shortlived"));
        Assert.That(renewed.NotAfter - renewed.NotBefore, Is.EqualTo(TimeSpan.FromDays(6)).Within(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task Replaces_UsedAlready_IsOrderedOnceMoreWithout()
    {
        await using var pebble = await PebbleAsync();
        var now = TimeProvider.System.GetUtcNow();
        await using (var harness = Harness(pebble)) await IssueAsync(harness);
        // Two boxes restored from the same state, or one restored to an older moment.
        CopyFolder(Path.Combine(Folder.Path, "state"), Path.Combine(Folder.Path, "twin"));
        await RenewAsync("state");

        var log = await RenewAsync("twin");

        Assert.That(log.Count(2019), Is.EqualTo(1), log.Text);

        async Task<CapturedLog> RenewAsync(string folder)
        {
            var later = new ShiftedTime { Offset = TimeSpan.FromHours(1) };
            await using var harness = new EngineHarness(
                Path.Combine(Folder.Path, folder), Key, new AcmeOptions { DirectoryUrl = pebble.DirectoryUrl, TrustedRootsFile = pebble.TrustFile }, later,
                Web.Challenges);
            await harness.StartAsync();
            harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
            var before = harness.Inventory.Find("host:web.home.test") is { Serial: not null } held ? held
                : (await harness.UntilAsync("host:web.home.test", CertificateStatus.Ok));
            harness.Scheduler.RenewNow(before.Id);
            await NextAsync(harness, before);
            return harness.Log;
        }
    }

    [Test]
    public async Task Rekey_NewKeyServesThenTheOldCertificateIsRevoked()
    {
        await using var pebble = await PebbleAsync();
        await using (var harness = Harness(pebble)) await IssueAsync(harness);
        var later = new ShiftedTime { Offset = TimeSpan.FromMinutes(5) };
        await using var next = new EngineHarness(
            Path.Combine(Folder.Path, "state"), Key, new AcmeOptions { DirectoryUrl = pebble.DirectoryUrl, TrustedRootsFile = pebble.TrustFile }, later,
            Web.Challenges);
        var first = await IssueAsync(next);
        var oldKey = next.Table.Find("web.home.test")!.Leaf.PublicKey.ExportSubjectPublicKeyInfo();

        Assert.That(next.Scheduler.RekeyNow(first.Id), Is.True);
        await NextAsync(next, first);
        await next.UntilAsync(_ => next.Log.Count(2017) == 1);

        Assert.That(next.Table.Find("web.home.test")!.Leaf.PublicKey.ExportSubjectPublicKeyInfo(), Is.Not.EqualTo(oldKey));
        Assert.That(await pebble.StatusAsync(first.Serial!), Is.EqualTo("Revoked"));
        Assert.That(await pebble.StatusAsync(next.Inventory.List().Single().Serial!), Is.EqualTo("Valid"));
    }

    [Test]
    public async Task Account_Contact_IsToldToTheCa()
    {
        await using var pebble = await PebbleAsync();
        await using (var plain = Harness(pebble)) await IssueAsync(plain);
        await using var harness = Harness(pebble, o => o.Email = "owner@home.test");
        await IssueAsync(harness);
        var accounts = harness.Authority.Accounts;

        // The account was made without an address; the CA was told of it when the next order asked for the account.
        using ((await accounts.GetAsync(null, default)).Value)
            Assert.That(new SealedCertificateStore(harness.Store).Account(pebble.DirectoryUrl)!.Email, Is.EqualTo("owner@home.test"));
        Assert.That(harness.Log.Count(2014), Is.Zero, harness.Log.Text);
        using var account = (await accounts.GetAsync(null, default)).Value;
        Assert.That(harness.Inventory.Accounts().Single().Account, Is.EqualTo(account.Url));
    }

    [TestCase(AcmeOptions.TlsAlpn01, Description = "asked for")]
    [TestCase(AcmeOptions.Auto, Description = "chosen because port 80 cannot be reached")]
    public async Task TlsAlpn01_ThroughTheFrontDoor_ProvesTheName(string challenge)
    {
        await using var door = await FrontDoor.StartAsync(new() { ["HttpsPort"] = "-1" });
        // Nobody listens where the CA looks for HTTP-01.
        var nobody = Piccolo.Rig.LoopbackPorts.Free(1)[0];
        await using var pebble = await PebbleAsync(o => o with { HttpPort = nobody, TlsPort = door.HttpsPort });
        await using var harness = Harness(pebble, o => o.Challenge = challenge, tls: door.Get<TlsAlpn01Challenges>());
        await harness.StartAsync();
        harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);

        var entry = await harness.UntilAsync("host:web.home.test", CertificateStatus.Ok);

        Assert.That(entry.Challenge, Is.EqualTo(AcmeOptions.TlsAlpn01));
        Assert.That(harness.Log.Count(2001), Is.EqualTo(challenge == AcmeOptions.Auto ? 1 : 0), harness.Log.Text);
        Assert.That(door.Get<TlsAlpn01Challenges>().Find("web.home.test"), Is.Null, "the answer goes when the order ends");
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
