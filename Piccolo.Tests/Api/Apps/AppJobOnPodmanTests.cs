using System.Text;
using System.Text.Json.Nodes;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Registries;

namespace Piccolo.Tests.Api.Apps;

/// <summary>An installation as a job, from the registry to the app that answers: over the API and on a real engine.</summary>
[Category("NeedsPodman"), Category("Timing")]
internal sealed class AppJobOnPodmanTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Test]
    public async Task Install_WithRespondAsync_ShowsEachStepToTheEnd()
    {
        await using var registry = await FakeRegistry.StartAsync();
        // The engine tells of bytes once a second.
        registry.Pause = TimeSpan.FromSeconds(1.5);
        var digest = await registry.AddAsync("slow/app", "1", await SampleImage.BuildAsync().WaitAsync(Patience), new
        {
            Entrypoint = SampleImage.Program,
            Env = new[] { "DOTNET_EnableDiagnostics=0", "HOME=/tmp" },
            User = "1000:1000",
        });
        await using var podman = await PodmanServer.StartAsync(network: null, registry.Host).WaitAsync(Patience);
        await using var appliance = await new TestAppliance(null, ("Piccolo:Containers:Socket", podman.SocketPath)).OwnedAsync();

        using var accepted = await appliance.SendAsync(HttpMethod.Post, "/api/v1/apps", Manifest(registry.Host), r => r.Headers.Add("Prefer", "respond-async"));
        Assert.That(((int)accepted.StatusCode, accepted.Headers.GetValues("Preference-Applied").Single()), Is.EqualTo((202, "respond-async")));
        var moments = await FollowAsync(appliance, accepted.Headers.Location!.ToString());

        var end = moments[^1];
        Assert.That(((string?)end["state"], (string?)end["result"]), Is.EqualTo(("succeeded", "web")), end.ToJsonString());
        Assert.That(string.Join(", ", end["steps"]!.AsArray().Select(s => $"{s!["name"]} {s["state"]}")),
            Is.EqualTo("Fetch images done, Start app done, Wait for app done"));
        var states = moments.Select(m => string.Join(' ', m["steps"]!.AsArray().Select(s => (string?)s!["state"]))).Distinct().ToList();
        Assert.That(states, Does.Contain("running waiting waiting").And.Contains("done running waiting").And.Contains("done done running"));
        var bytes = moments.Where(m => (string?)m["progress"]!["phase"] == "Fetch images" && (bool)m["cancellable"]!)
            .Select(m => ((long)m["progress"]!["done"]!, (long?)m["progress"]!["total"])).ToList();
        Assert.That(bytes.Any(b => b.Item1 > 0 && b.Item1 < b.Item2), Is.True, string.Join(", ", bytes));
        Assert.That(moments.Select(m => (string?)m["detail"]), Has.Some.Match(@"^Fetching .*: [0-9.]+ of [0-9.]+ MB\.$"));
        var container = (await appliance.Api.GetAsync("/api/v1/apps/web"))["data"]!["containers"]![0]!;
        Assert.That(((string?)container["status"], (string?)container["image_digest"]), Is.EqualTo(("running", digest)));
        var usage = (await appliance.Api.GetAsync("/api/v1/apps/web/usage"))["services"]![0]!;
        Assert.That(((bool)usage["running"]!, (long)usage["memory_bytes"]! > 1_000_000, (double)usage["cpu_seconds"]! > 0), Is.EqualTo((true, true, true)),
            usage.ToJsonString());

        using var removed = await appliance.SendAsync(HttpMethod.Delete, "/api/v1/apps/web", change: r => r.Headers.Add("Prefer", "respond-async"));
        moments = await FollowAsync(appliance, removed.Headers.Location!.ToString());
        Assert.That((string?)moments[^1]["state"], Is.EqualTo("succeeded"));
        Assert.That(await podman.RunAsync(["ps", "--all", "--quiet"]), Is.Empty);
    }

    private static StringContent Manifest(string registry) => new($$"""
        name: web
        image: {{registry}}/slow/app:1
        healthcheck: { http: { path: /healthz, port: 8080 }, interval: 1s }
        listeners:
          - { name: web, guest_port: 8080, protocol: http }
        """, Encoding.UTF8, "application/yaml");

    /// <summary>All moments of the job that its events tell of, to its end.</summary>
    private static async Task<List<JsonNode>> FollowAsync(TestAppliance appliance, string job)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = appliance.Api.BaseAddress };
        var token = (string)(await appliance.Api.PostAsync("/api/v1/auth/tokens", new { name = "follower" }))["token"]!;
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var events = new StreamReader(await client.GetStreamAsync(new Uri(job + "/events", UriKind.Relative), limit.Token));
        var moments = new List<JsonNode>();
        while (await events.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal)) moments.Add(JsonNode.Parse(line[6..])!);
        }
        return moments;
    }
}
