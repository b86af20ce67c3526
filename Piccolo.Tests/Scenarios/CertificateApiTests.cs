using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Piccolo.Core.Certificates;
using Piccolo.Rig;
using Piccolo.Rig.Acme;
using Piccolo.Rig.Stack;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Scenarios;

/// <summary>What the API says of certificates, against what the CA made and what a stranger is shown through the relay.</summary>
[Category("Scenario"), Category("NeedsPebble"), Category("Acme")]
internal sealed class CertificateApiTests : RemoteBoxFixture
{
    // The portal's entry before anybody was shown its certificate.
    private JsonNode _unseen = null!;

    private protected override PebbleEdition Edition => PebbleEdition.Current;

    // Nobody dials by itself for an hour: who is shown the certificate first is the test.
    private protected override (string Key, string Value)[] Settings =>
        [("Piccolo:Remote:ProbeDebounce", "00:01:00"), ("Piccolo:Remote:ProbeGrace", "00:10:00")];

    [OneTimeSetUp]
    public async Task UntilReadyAsync()
    {
        await RemoteBox.UntilAsync(Box.Get<CertificateInventory>().Changed,
            () => Box.Get<CertificateInventory>().Find("portal") is { Status: CertificateStatus.Ok }, "the portal is certified");
        _unseen = await PortalAsync();
    }

    [Test]
    public async Task Certificate_SaysWhatTheLeafSaysAndIsActiveOnceAHandshakeShowedIt()
    {
        using var shown = await new PublicInternet(new IPEndPoint(IPAddress.Loopback, Box.Tls.Port), []).PeekCertificateAsync(RemoteBox.Portal, default);
        // The server may hear of the end of the handshake a moment after the client.
        var after = await new Observer(TimeProvider.System).UntilAsync(RemoteBox.Patience,
            async _ => await PortalAsync() is var now && (bool)now["active"]! ? now : null,
            () => Task.FromResult("never active"));

        Assert.That((bool)_unseen["active"]!, Is.False, "stored and chosen is not enough");
        Assert.That((DateTimeOffset)after["last_shown"]!, Is.EqualTo(TimeProvider.System.GetUtcNow()).Within(TimeSpan.FromMinutes(1)));
        Assert.That((string?)after["serial"], Is.EqualTo(shown.SerialNumber));
        Assert.That((string?)after["fingerprint_sha256"], Is.EqualTo(Convert.ToHexStringLower(shown.GetCertHash(HashAlgorithmName.SHA256))));
        Assert.That((string?)after["issuer"], Is.EqualTo(shown.GetNameInfo(X509NameType.SimpleName, forIssuer: true)));
        foreach (var field in (string[])["not_before", "issued_at"])
            Assert.That(((DateTimeOffset)after[field]!).UtcDateTime, Is.EqualTo(shown.NotBefore.ToUniversalTime()), field);
        foreach (var field in (string[])["not_after", "expires_at"])
            Assert.That(((DateTimeOffset)after[field]!).UtcDateTime, Is.EqualTo(shown.NotAfter.ToUniversalTime()), field);
        Assert.That(((string?)after["status"], (string?)after["key_type"], (string?)after["solver"], after["last_error"]),
            Is.EqualTo(("ok", "P-256", "http-01", (JsonNode?)null)));
        Assert.That(after["domains"]!.AsArray().Select(d => (string?)d), Is.EqualTo(new[] { RemoteBox.Portal }));
        var renewal = after["renewal"]!;
        Assert.That((string?)renewal["source"], Is.EqualTo("ari").Or.EqualTo("lifetime"));
        Assert.That((DateTimeOffset)after["next_renewal"]!, Is.InRange((DateTimeOffset)renewal["window_start"]!, (DateTimeOffset)renewal["window_end"]!));
    }

    [Test]
    public async Task Story_TellsTheWholeOrderWithoutSecrets()
    {
        var story = await Box.Appliance.Api.GetAsync("/api/v1/remote/certificates/portal/story");

        var order = story["orders"]!.AsArray().Single()!;
        var exchanges = order["exchanges"]!.AsArray();
        Assert.That((string?)order["outcome"], Is.EqualTo("issued"));
        Assert.That(exchanges.Select(e => new Uri((string)e!["url"]!).AbsolutePath),
            Has.Some.EqualTo("/dir").And.Some.EqualTo("/sign-me-up").And.Some.EqualTo("/order-plz"));
        Assert.That(exchanges.Select(e => (string?)e!["body"] ?? ""), Has.Some.Contains("BEGIN CERTIFICATE").And.Some.Contains("\"token\":\"masked\""));
        Assert.That(story.ToJsonString(), Does.Not.Contain("PRIVATE KEY"));
    }

    [Test]
    public async Task RenewAndRekey_AreQueuedWithinAMinuteAndUnknownIdsRefused()
    {
        var issued = (DateTimeOffset)(await PortalAsync())["last_attempt"]!;

        await Box.Appliance.Api.PostAsync("/api/v1/remote/certificates/portal/rekey");
        await Box.Appliance.Api.PostAsync("/api/v1/remote/certificates/portal/renew");

        Assert.That((DateTimeOffset)(await PortalAsync())["next_attempt"]!, Is.LessThanOrEqualTo(issued.AddMinutes(1)));
        foreach (var path in (string[])["renew", "rekey"])
        {
            using var refused = await Box.Appliance.SendAsync(HttpMethod.Post, $"/api/v1/remote/certificates/host:nobody.test/{path}");
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        }
        using var untold = await Box.Appliance.SendAsync(HttpMethod.Get, "/api/v1/remote/certificates/host:nobody.test/story");
        Assert.That(untold.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test, Category("Slow")]
    public async Task Rekey_ThroughTheApi_RevokesTheOldOneOnceTheNewOneServes()
    {
        var old = (string)(await PortalAsync())["serial"]!;
        var inventory = Box.Get<CertificateInventory>();
        await Box.Appliance.Api.PostAsync("/api/v1/remote/certificates/portal/rekey");

        // A minute between two orders of one name is the least, however often the owner asks.
        using (var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3)))
        {
            while (inventory.Find("portal") is { } entry && (entry.Serial == old || entry.Status != CertificateStatus.Ok))
                await inventory.Changed.WaitAsync(inventory.Changed.Version, limit.Token);
        }
        using var shown = await new PublicInternet(new IPEndPoint(IPAddress.Loopback, Box.Tls.Port), []).PeekCertificateAsync(RemoteBox.Portal, default);
        var revoked = await new Observer(TimeProvider.System).UntilAsync(RemoteBox.Patience,
            async token => await Ca.StatusAsync(old, token) == "Revoked" ? old : null,
            () => Task.FromResult("the old one is not revoked"));

        Assert.That(revoked, Is.EqualTo(old));
        Assert.That(shown.SerialNumber, Is.Not.EqualTo(old));
    }

    [Test]
    public async Task IssuanceLock_IsRecommendedOnceAnExportExists()
    {
        Assert.That((bool)(await CheckLockAsync())["recommended"]!, Is.False);
        var job = await Box.Appliance.Api.PostAsync("/api/v1/exports/control");
        await new Observer(TimeProvider.System).UntilAsync(
            RemoteBox.Patience, async _ => (string?)(await Box.Appliance.Api.GetAsync($"/api/v1/jobs/{job["id"]}"))["state"] == "succeeded" ? job : null,
            () => Task.FromResult("the export does not end"));

        var found = await CheckLockAsync();

        Assert.That((string?)found["trust_level"], Is.EqualTo("relay_could_issue"));
        Assert.That((bool)found["recommended"]!, Is.True);
        Assert.That((string?)found["names"]![0]!["record"]!["value"],
            Does.Match("^pebble\\.test; accounturi=https://.+; validationmethods=http-01,tls-alpn-01$"));
    }

    private Task<JsonNode> CheckLockAsync() => Box.Appliance.Api.PostAsync("/api/v1/remote/issuance-lock/check");

    private async Task<JsonNode> PortalAsync() =>
        (await Box.Appliance.Api.GetAsync("/api/v1/remote/certificates"))["certificates"]!.AsArray().Single(c => (string?)c!["id"] == "portal")!;
}
