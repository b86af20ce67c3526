using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Http;

/// <summary>What the smaller routes answer: manifests that are only looked at, one app's listeners, the relay's guide, the issuance lock at rest.</summary>
internal sealed class ReadRoutesTests
{
    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _appliance = await new TestAppliance().OwnedAsync();
        await _appliance.Api.InstallAsync(Manifest("web", "web", "admin"));
        await _appliance.Api.InstallAsync(Manifest("other", "other"));
    }

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Validate_GoodManifest_IsValidAndInstallsNothing()
    {
        var before = await NamesAsync();

        var (status, answer) = await ValidateAsync(Manifest("fresh", "fresh"));

        Assert.That((status, (bool)answer["data"]!["valid"]!, (string?)answer["message"]), Is.EqualTo((200, true, "valid")));
        Assert.That(await NamesAsync(), Is.EqualTo(before));

        async Task<string[]> NamesAsync() => [.. (await _appliance.Api.GetAsync("/api/v1/apps"))["data"]!.AsArray().Select(a => (string)a!["name"]!)];
    }

    [Test]
    public async Task Validate_BadManifest_NamesEveryErrorByItsPath()
    {
        var (status, answer) = await ValidateAsync("name: Not A Name\nimage: localhost/web:1\nlisteners:\n  - { name: web, guest_port: 99999 }\n");

        Assert.That((status, (string?)answer["code"]), Is.EqualTo((400, "invalid_manifest")));
        Assert.That(answer["errors"]!.AsObject().Select(e => e.Key), Is.EquivalentTo(new[] { "name", "listeners[0].guest_port" }));
    }

    [Test]
    public async Task AppServices_OfOneApp_AreThoseOfAllThatAreIts()
    {
        var all = (await _appliance.Api.GetAsync("/api/v1/services"))["services"]!.AsArray();

        var its = (await _appliance.Api.GetAsync("/api/v1/apps/web/services"))["services"]!.AsArray();

        Assert.That(its.Select(s => (string?)s!["name"]), Is.EquivalentTo(new[] { "web", "admin" }));
        Assert.That(its.Select(s => (int)s!["public_port"]!),
            Is.EquivalentTo(all.Where(s => (string?)s!["app"] == "web").Select(s => (int)s!["public_port"]!)));
        using var unknown = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps/nobody/services");
        Assert.That((int)unknown.StatusCode, Is.EqualTo(404));
        Assert.That((string?)JsonNode.Parse(await unknown.Content.ReadAsStringAsync())!["detail"], Does.Contain("app 'nobody'"));
    }

    [Test]
    public async Task DnsProviders_AreNone() =>
        Assert.That((await _appliance.Api.GetAsync("/api/v1/remote/dns/providers")).ToJsonString(), Is.EqualTo("""{"providers":[]}"""));

    [Test]
    public async Task NexusGuide_SaysHowARelayIsSetUp()
    {
        var guide = await _appliance.Api.GetAsync("/api/v1/remote/nexus-guide");

        Assert.That((string?)guide["command"], Does.Contain("nexus-proxy-server"));
        Assert.That(guide["requirements"]!.AsArray().Select(r => (string?)r), Has.Some.Contains("DNS record").And.Some.Contains("device secret"));
        Assert.That(guide["notes"]!.AsArray(), Is.Not.Empty);
        Assert.That(Uri.TryCreate((string?)guide["docs_url"], UriKind.Absolute, out var docs) && docs.Scheme == Uri.UriSchemeHttps, Is.True);
    }

    [Test]
    public async Task IssuanceLock_NothingPublished_IsUnknownAndRecommendsAnExportFirst()
    {
        var found = await _appliance.Api.GetAsync("/api/v1/remote/issuance-lock");

        Assert.That((string?)found["trust_level"], Is.EqualTo("unknown"));
        Assert.That(found["names"]!.AsArray(), Is.Empty);
        Assert.That((bool)found["recommended"]!, Is.False);
        Assert.That((string?)found["reason"], Does.StartWith("Make an export first"));
        Assert.That(found["checked_at"], Is.Null, "nobody has looked: no time is made up");
    }

    private async Task<(int Status, JsonNode Answer)> ValidateAsync(string manifest)
    {
        using var response = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/apps/validate",
            new StringContent(manifest, Encoding.UTF8, "application/yaml"));
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private static string Manifest(string app, params string[] listeners) =>
        $"name: {app}\nimage: "
        + $"localhost/{app}:1\nlisteners:\n{string.Concat(listeners.Select((l, i) => $"  - {{ name: {l}, guest_port: {8080 + i}, protocol: http }}\n"))}";
}
