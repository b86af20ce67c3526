using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Apps;
using Piccolo.Core.Auth;
using Piccolo.Core.Containers;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Apps;

/// <summary>What is read of an app beside its state: what it takes, and its manifest as it was given.</summary>
internal sealed class AppReadsTests
{
    private const string Manifest = """
        # My notes, as I wrote them.
        name: notes
        services:
          web:
            image: localhost/web:1
            depends_on: { db: started }
            environment: { PASSWORD: canary-password, KEY: "${secret.key}" }
          db:
            image: localhost/db:1
            resources: { limits: { memory: 64MB } }
        listeners:
          - { name: notes, service: web, guest_port: 8080, protocol: http }
        secrets: { key: { generate: hex } }
        """;

    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _appliance = await new TestAppliance().OwnedAsync();
        foreach (var image in (string[])["localhost/web:1", "localhost/db:1"]) _appliance.Engine.AddImage(image);
        _appliance.Engine.Images["localhost/db:1"] = new ImageFacts("db", [], []) { Digest = "sha256:" + new string('d', 64) };
        await _appliance.Api.InstallAsync(Manifest);
        var board = _appliance.Services.GetRequiredService<AppStatusBoard>();
        await UntilAsync(board, () => board.Find("notes")?.State == AppState.Running);
    }

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [TearDown]
    public void EngineAnswers() => _appliance.Engine.Faults.Clear();

    [Test]
    public async Task Usage_OfARunningApp_IsWhatTheEngineSaidByService()
    {
        _appliance.Engine.Usage["notes.db"] = new ContainerUsage("db", 40_000_000, TimeSpan.FromSeconds(2.5));

        var usage = await _appliance.Api.GetAsync("/api/v1/apps/notes/usage");

        Assert.That(((string?)usage["app"], usage["observed_at"] is not null), Is.EqualTo(("notes", true)));
        Assert.That(usage["services"]!.ToJsonString(), Is.EqualTo(JsonNode.Parse("""
            [
              {"service":"web","running":false,"volumes":[]},
              {"service":"db","running":true,"memory_bytes":40000000,"memory_limit_bytes":67108864,"cpu_seconds":2.5,"volumes":[]}
            ]
            """)!.ToJsonString()));
    }

    [Test]
    public async Task Usage_EngineThatDoesNotAnswer_IsAProblem()
    {
        _appliance.Engine.Faults["usage"] = RecordingContainerRuntime.Unreachable;

        using var response = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps/notes/usage");
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

        Assert.That(((int)response.StatusCode, (string?)problem["code"], (string?)problem["next_step"]), Is.EqualTo((503, "engine_fault", "Start it.")));
        using var unknown = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps/none/usage");
        Assert.That((int)unknown.StatusCode, Is.EqualTo(404));
    }

    [Test]
    public async Task Manifest_IsAsItWasGivenWithoutGeneratedSecrets()
    {
        using var response = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps/notes/manifest");

        Assert.That(((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType), Is.EqualTo((200, "application/yaml")));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(Manifest));
        using var unknown = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps/none/manifest");
        Assert.That((int)unknown.StatusCode, Is.EqualTo(404));
    }

    [Test]
    public async Task Manifest_ForATokenThatMayOnlyRead_IsClosed()
    {
        var tokens = _appliance.Services.GetRequiredService<ApiTokenStore>();
        using var reader = new Caller(_appliance, "127.0.0.1", tokens.Create("reader", TokenScope.Read, null)!.Value.Token);

        var (status, content) = await reader.SendAsync("GET", "apps/notes/manifest");

        Assert.That(status, Is.EqualTo(403));
        Assert.That(Encoding.UTF8.GetString(content), Does.Not.Contain("canary"));
        Assert.That(await reader.StatusAsync("GET", "apps/notes/usage"), Is.EqualTo(200));
    }

    [Test]
    public async Task Containers_ShowStateSinceAndDigest()
    {
        var containers = (await _appliance.Api.GetAsync("/api/v1/apps/notes"))["data"]!["containers"]!.AsArray();

        Assert.That(containers.Select(c => ((string?)c!["service"], (string?)c["status"], c["since"] is not null, c["reason"] is null)),
            Is.EqualTo(new[] { ("db", "running", true, true), ("web", "running", true, true) }));
        Assert.That(containers.Select(c => (string?)c!["image_digest"]), Is.EqualTo(new[] { "sha256:" + new string('d', 64), null }));
    }

    private static async Task UntilAsync(AppStatusBoard board, Func<bool> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        for (var seen = board.Changed.Version; !isSo(); seen = board.Changed.Version) await board.Changed.WaitAsync(seen, limit.Token);
    }
}
