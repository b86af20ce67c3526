using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>The portal and every script rely on the contract: it changes only together with <c>docs/openapi.json</c> (<c>./dev openapi</c>).</summary>
internal sealed class OpenApiSnapshotTests
{
    [Test]
    public async Task Document_EqualsTheOneInDocs()
    {
        await using var appliance = new TestAppliance();
        var generated = await appliance.Api.GetAsync("/swagger/v1/swagger.json");
        if (Environment.GetEnvironmentVariable("PICCOLO_UPDATE_OPENAPI") is { Length: > 0 } path)
            await File.WriteAllTextAsync(path, generated.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }) + "\n");

        var documented = JsonNode.Parse(await File.ReadAllTextAsync(Repository.File("docs/openapi.json")));

        Assert.That(JsonNode.DeepEquals(generated, documented), Is.True, "Run ./dev openapi and look at the difference.");
        Assert.That(generated["paths"]!.AsObject(), Has.Count.GreaterThan(20));
    }

    [Test]
    public async Task Yaml_IsServedWithoutASession()
    {
        await using var appliance = new TestAppliance();
        using var response = await appliance.SendAsync(HttpMethod.Get, "/api/v1/openapi.yaml");

        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/yaml"));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.StartWith("openapi: ").And.Contain("/api/v1/apps:"));
    }
}
