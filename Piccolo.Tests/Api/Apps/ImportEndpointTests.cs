using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Apps;

/// <summary>Compose files that are only looked at.</summary>
internal sealed class ImportEndpointTests
{
    private const string Compose =
        "services:\n  web:\n    image: localhost/web:1\n    env_file: app.env\n    ports: ['80:8080']\n    environment: ['L=${LANGUAGE}']\n";

    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public async Task SetUp() => _appliance = await new TestAppliance().OwnedAsync();

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Import_ComposeFile_AnswersManifestReportQuestionsAndMissingFiles()
    {
        var (status, answer) = await SendAsync(Form(("compose", Compose, "notes.yml")));

        var data = answer["data"]!;
        Assert.That((status, (string?)data["verdict"]), Is.EqualTo((200, "plain")));
        Assert.That((string?)data["manifest"], Does.Contain("guest_port: 8080"));
        Assert.That(data["report"]!.AsArray().Select(l => (string?)l!["path"]), Does.Contain("services.web.ports[0]"));
        Assert.That((string?)data["report"]!.AsArray().First(l => (string?)l!["path"] == "services.web.ports[0]")!["verdict"], Is.EqualTo("translated"));
        Assert.That((string?)data["questions"]![0]!["variable"], Is.EqualTo("LANGUAGE"));
        Assert.That((string?)data["missing_files"]![0]!["name"], Is.EqualTo("app.env"));
        Assert.That(data["grants"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Import_WithItsEnvironmentAndFiles_AsksNothing()
    {
        var (_, answer) = await SendAsync(Form(("compose", Compose, null), ("env", "LANGUAGE=de\n", ".env"), ("files", "A=b", "app.env"), ("name", "notes",
            null)));

        var data = answer["data"]!;
        Assert.That(data["questions"]!.AsArray(), Is.Empty);
        Assert.That(data["missing_files"]!.AsArray(), Is.Empty);
        Assert.That((string?)data["manifest"], Does.Contain("name: notes").And.Contain("L: de").And.Contain("A: b"));
    }

    [Test]
    public async Task Import_ManifestThatItMade_IsValid()
    {
        var (_, answer) = await SendAsync(Form(("compose", Compose, null)));

        using var response = await _appliance.SendAsync(
            HttpMethod.Post, "/api/v1/apps/validate", new StringContent((string)answer["data"]!["manifest"]!, Encoding.UTF8, "application/yaml"));
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Import_Refused_SaysTheKeyAndLeavesItOutWhenAsked()
    {
        const string Text = "services: {web: {image: a, ports: [80]}, bad: {image: b, pid: host}}";

        var (status, refused) = await SendAsync(Form(("compose", Text, null)));
        var (_, plain) = await SendAsync(Form(("compose", Text, null), ("without", "bad, other", null)));

        Assert.That((status, (string?)refused["data"]!["verdict"], (string?)plain["data"]!["verdict"]), Is.EqualTo((200, "refused", "plain")));
    }

    [Test]
    public async Task Import_NoForm_IsRefused()
    {
        var (type, typeAnswer) = await SendAsync(new StringContent("services: {}", Encoding.UTF8, "application/yaml"));
        var (empty, emptyAnswer) = await SendAsync(Form(("env", "A=b", null)));
        var (bytes, bytesAnswer) = await SendAsync(new MultipartFormDataContent { { new ByteArrayContent([0xff, 0xfe, 0xff]), "compose", "c.yml" } });

        Assert.That((type, (string?)typeAnswer["code"]), Is.EqualTo((415, "unsupported_media_type")));
        Assert.That((empty, (string?)emptyAnswer["code"]), Is.EqualTo((400, "invalid_form")));
        Assert.That((bytes, (string?)bytesAnswer["code"]), Is.EqualTo((400, "invalid_form")));
    }

    [Test]
    public async Task Import_TenMegabytes_AreRefusedBeforeTheyAreRead()
    {
        var (status, _) = await SendAsync(Form(("compose", new string('[', 10_000_000), null)));

        Assert.That(status, Is.EqualTo(413));
    }

    private static MultipartFormDataContent Form(params (string Name, string Text, string? File)[] parts)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, text, file) in parts)
        {
            if (file is null) form.Add(new StringContent(text), name);
            else form.Add(new StringContent(text), name, file);
        }
        return form;
    }

    private async Task<(int Status, JsonNode Answer)> SendAsync(HttpContent content)
    {
        using var response = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/apps/import", content);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
