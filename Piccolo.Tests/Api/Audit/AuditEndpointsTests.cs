using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Api.Audit;

/// <summary>What the owner can look up, and how faults of the store answer over HTTP.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class AuditEndpointsTests
{
    private TestAppliance _appliance = null!;

    [SetUp]
    public async Task SetUp() => _appliance = await new TestAppliance().OwnedAsync();

    [TearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Actions_AreRecordedWithActorOriginAndAddressButNoSecrets()
    {
        await _appliance.Api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = "wss://relay.invalid",
            device_secret = "canary-secret-77",
            tld = "home.test",
            portal_hostname = "portal",
        });
        await _appliance.Api.PostAsync("/api/v1/remote/disable");

        var log = await _appliance.Api.GetAsync("/api/v1/system/audit");

        var configured = log["entries"]!.AsArray().Single(e => (string?)e!["kind"] == "remote.configured")!;
        Assert.That((string?)configured["actor"], Is.EqualTo("token:test"));
        Assert.That((string?)configured["origin"], Is.EqualTo("loopback"));
        Assert.That((string?)configured["address"], Is.EqualTo("127.0.0.1"));
        Assert.That((string?)configured["detail"]!["domain"], Is.EqualTo("home.test"));
        Assert.That((string?)log["entries"]![0]!["kind"], Is.EqualTo("remote.disabled"));
        Assert.That(log.ToJsonString(), Does.Not.Contain("canary"));
        var verified = await _appliance.Api.PostAsync("/api/v1/system/audit/verify");
        Assert.That((bool)verified["whole"]!, Is.True);
        Assert.That((long)verified["entries"]!, Is.EqualTo(log["entries"]!.AsArray().Count));
    }

    [Test]
    public async Task Pages_LeadBackToTheFirstEntry()
    {
        for (var i = 0; i < 5; i++)
        {
            await _appliance.Api.PostAsync("/api/v1/remote/configure", new
            {
                endpoint = "wss://relay.invalid",
                device_secret = "s",
                tld = "home.test",
                portal_hostname = "portal",
            });
        }
        var all = (await _appliance.Api.GetAsync("/api/v1/system/audit"))["entries"]!.AsArray().Select(e => (long)e!["sequence"]!).ToList();
        var seen = new List<long>();
        for (var path = "/api/v1/system/audit?limit=2"; path.Length > 0;)
        {
            var page = await _appliance.Api.GetAsync(path);
            seen.AddRange(page["entries"]!.AsArray().Select(e => (long)e!["sequence"]!));
            path = page["before"] is { } before ? $"/api/v1/system/audit?limit=2&before={before}" : "";
        }

        Assert.That(seen, Is.EqualTo(all));
        foreach (var query in (string[])["limit=0", "limit=501", "before=0", "limit=x"])
        {
            using var refused = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/system/audit?" + query);
            Assert.That((int)refused.StatusCode, Is.EqualTo(400), query);
        }
        foreach (var query in (string[])["limit=0", "limit=1001", "limit=x"])
        {
            using var refused = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/remote/events?" + query);
            Assert.That((int)refused.StatusCode, Is.EqualTo(400), "events too: " + query);
        }
    }

    [Test]
    public async Task StoreDamagedUnderTheAppliance_WritesAre503ReadsGoOnAndClearLooksAgain()
    {
        var paths = _appliance.Services.GetRequiredService<StatePaths>();
        var store = _appliance.Services.GetRequiredService<Piccolo.Core.ControlStore.SealedStore>();
        RawStore.Execute(paths.ControlStore, "UPDATE revisions SET changes = randomblob(32) WHERE revision = 1");
        Assert.That(store.Check(), Is.False);

        using (var write = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/auth/tokens", JsonContent.Create(new { name = "late" })))
        {
            Assert.That((int)write.StatusCode, Is.EqualTo(503));
            Assert.That((string?)JsonNode.Parse(await write.Content.ReadAsStringAsync())!["code"], Is.EqualTo("storage_fault"));
        }
        Assert.That((await _appliance.Api.GetAsync("/api/v1/apps"))["data"]!.AsArray(), Is.Empty, "reads go on");
        using (var ready = await _appliance.SendAsync(HttpMethod.Get, "/health/ready")) Assert.That((int)ready.StatusCode, Is.EqualTo(503));
        using (var clear = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/system/faults/store_corrupt/clear"))
        {
            Assert.That((int)clear.StatusCode, Is.EqualTo(409));
            Assert.That((string?)JsonNode.Parse(await clear.Content.ReadAsStringAsync())!["code"], Is.EqualTo("fault_persists"));
        }
        Assert.That(_appliance.Services.GetRequiredService<HealthTracker>().Snapshot.Ready, Is.False);
    }
}
