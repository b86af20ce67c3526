using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Apps;

/// <summary>Manifests that are only looked at: what installing one would do, everything that is wrong with one, and the schema of all.</summary>
internal sealed class ManifestEndpointsTests
{
    private const string Web = "name: web\nimage: localhost/web:1\nlisteners:\n  - { name: web, guest_port: 8080, protocol: http }\n";

    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _appliance = await new TestAppliance().OwnedAsync();
        await _appliance.Api.InstallAsync(Web);
    }

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Validate_NewApp_AnswersTheManifestInFullWithWarningsAndChanges()
    {
        var (status, answer) = await ValidateAsync(
            "name: fresh\nimage: localhost/fresh\nlisteners: [{ name: fresh, guest_port: 1 }]\nstorage: { persistent: { data: { container: /data } } }\n"
            + "secrets: { key: { generate: hex } }\nenvironment: { KEY: \"${secret.key}\" }\n");

        var data = answer["data"]!;
        Assert.That((status, (bool)data["valid"]!), Is.EqualTo((200, true)));
        Assert.That(data["manifest"]!["services"]!["main"]!["mounts"]!.ToJsonString(), Is.EqualTo("""{"/data":{"volume":"data"}}"""));
        Assert.That(data["manifest"]!["secrets"]!.ToJsonString(), Is.EqualTo("""{"key":{"generate":"hex","length":32}}"""));
        Assert.That(data["warnings"]!.AsArray().Select(w => (string?)w!["path"]), Is.EqualTo(new[] { "image" }));
        Assert.That((string?)data["warnings"]![0]!["message"], Does.Contain("unpinned"));
        Assert.That(data["changes"]!.AsArray().Select(c => (string?)c), Is.EqualTo(new[] { "The service 'main' is added.", "The volume 'data' is new." }));
    }

    [Test]
    public async Task Validate_InstalledApp_SaysWhatWouldChange()
    {
        var (_, same) = await ValidateAsync(Web);
        var (_, other) = await ValidateAsync(Web.Replace("web:1", "web:2", StringComparison.Ordinal));

        Assert.That(same["data"]!["changes"]!.AsArray(), Is.Empty);
        Assert.That(other["data"]!["changes"]!.AsArray().Select(c => (string?)c), Is.EqualTo(new[] { "The service 'main' is made anew: image changed." }));
    }

    [Test]
    public async Task Validate_PermissionsBeyondTheOrdinary_AreGrantsAndAChange()
    {
        var (_, nothing) = await ValidateAsync(Web);
        var (_, asking) = await ValidateAsync(Web + "permissions: { network: { internet: allow }, capabilities: [NET_ADMIN] }\n");

        Assert.That(nothing["data"]!["grants"]!.AsArray(), Is.Empty);
        Assert.That(asking["data"]!["grants"]!.AsArray().Select(g => $"{g!["service"]} {g["permission"]} {g["tier"]}"), Is.EqualTo(new[]
        {
            "main network.internet shown", "main capabilities.NET_ADMIN serious",
        }));
        Assert.That(asking["data"]!["changes"]!.AsArray().Select(c => (string?)c), Is.EqualTo(new[]
        {
            "The service 'main' is made anew: permissions.network, permissions.capabilities changed.",
        }));
    }

    [Test]
    public async Task Validate_ManifestInFull_IsValidAndChangesNothing()
    {
        var (_, first) = await ValidateAsync(Web);

        var (status, second) = await ValidateAsync(first["data"]!["manifest"]!.ToJsonString());

        Assert.That(status, Is.EqualTo(200));
        Assert.That(second["data"]!["manifest"]!.ToJsonString(), Is.EqualTo(first["data"]!["manifest"]!.ToJsonString()));
        Assert.That(second["data"]!["changes"]!.AsArray(), Is.Empty);
    }

    [TestCase("/api/v1/apps/validate")]
    [TestCase("/api/v1/apps")]
    public async Task Manifest_WithErrors_ListsThemWithPlaceCodeAndSuggestion(string path)
    {
        var (status, answer) = await SendAsync(path, "name: fresh\nimgae: x\nimage: localhost/web:1\nlisteners:\n  - name: web\n    guest_port: 99999\n");

        Assert.That(status, Is.EqualTo(400));
        Assert.That(answer["error_list"]!.ToJsonString(), Is.EqualTo(JsonNode.Parse("""
            [
              {"path":"imgae","line":2,"column":1,"message":"There is no such field; 'image' is near.","code":"unknown_field","suggestion":"image"},
              {"path":"listeners[0].guest_port","line":6,"column":5,"message":"A port is a number from 1 to 65535.","code":"out_of_range"}
            ]
            """)!.ToJsonString().Replace("'", "\\u0027", StringComparison.Ordinal)));
        Assert.That(answer["errors"]!["imgae"]![0]!.ToString(), Is.EqualTo("Line 2: There is no such field; 'image' is near."));
    }

    [Test]
    public async Task Install_ListenerOfAnotherApp_ListsTheConflict()
    {
        var (status, answer) = await SendAsync("/api/v1/apps", Web.Replace("name: web\nimage", "name: other\nimage", StringComparison.Ordinal));

        Assert.That((status, (string?)answer["code"]), Is.EqualTo((409, "app_conflict")));
        Assert.That((string?)answer["error_list"]![0]!["path"], Is.EqualTo("listeners[0].name"));
        Assert.That(answer["errors"]!["listeners[0].name"], Is.Not.Null);
    }

    [Test]
    public async Task Schema_IsTheReadersOwn()
    {
        using var response = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps/schema");

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/schema+json"));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(ManifestSchema.Json));
    }

    private Task<(int Status, JsonNode Answer)> ValidateAsync(string manifest) => SendAsync("/api/v1/apps/validate", manifest);

    private async Task<(int Status, JsonNode Answer)> SendAsync(string path, string manifest)
    {
        using var response = await _appliance.SendAsync(HttpMethod.Post, path, new StringContent(manifest, Encoding.UTF8, "application/yaml"));
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
