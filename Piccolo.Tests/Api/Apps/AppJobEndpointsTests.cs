using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Apps;
using Piccolo.Core.Auth;
using Piccolo.Core.Containers;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Apps;

/// <summary>Commands to apps as jobs: answered at once for those who prefer that, and as ever for all others.</summary>
internal sealed class AppJobEndpointsTests
{
    private const string Manifest = "name: web\nimage: localhost/web:1\nlisteners:\n  - { name: web, guest_port: 8080, protocol: http }\n";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TestAppliance _appliance = null!;

    [SetUp]
    public async Task SetUp() => _appliance = await new TestAppliance().OwnedAsync();

    [TearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Commands_WithRespondAsync_AnswerWithAJobThatIsFollowedToItsEnd()
    {
        foreach (var (method, path, kind, steps) in new[]
        {
            ("POST", "", "app.install", "Fetch images,Start app"), ("POST", "/web/stop", "app.stop", "Stop services,Close volumes"),
            ("POST", "/web/start", "app.start", "Fetch images,Start app"),
            ("DELETE", "/web?purge=true", "app.remove", "Stop services,Remove containers,Delete volumes"),
        })
        {
            var (status, location, applied, job) = await CommandAsync(method, path, "wait=5, Respond-Async");
            Assert.That((status, applied, location), Is.EqualTo((202, "respond-async", $"/api/v1/jobs/{job["id"]}")), path);
            Assert.That(((string?)job["kind"], (string?)job["subject"], (string?)job["state"]), Is.EqualTo((kind, "web", "running")));

            var end = await EndAsync(job);

            Assert.That(((string?)end["state"], (string?)end["result"], (bool)end["cancellable"]!), Is.EqualTo(("succeeded", "web", false)),
                end.ToJsonString());
            Assert.That(string.Join(',', end["steps"]!.AsArray().Select(s => (string?)s!["name"])), Is.EqualTo(steps));
            Assert.That(end["steps"]!.AsArray().Select(s => ((string?)s!["state"], s["since"] is not null)), Is.All.EqualTo(("done", true)));
        }
        var all = (await _appliance.Api.GetAsync("/api/v1/jobs?subject=web"))["jobs"]!.AsArray();
        Assert.That(all.Select(j => (string?)j!["kind"]), Is.EqualTo(new[] { "app.remove", "app.start", "app.stop", "app.install" }));
        Assert.That((await _appliance.Api.GetAsync("/api/v1/jobs?subject=other"))["jobs"]!.AsArray(), Is.Empty);
    }

    [TestCase(null)]
    [TestCase("return=minimal")]
    [TestCase("respond-async=no")]
    [TestCase("x=\"respond-async\"")]
    public async Task Commands_WithoutIt_AnswerAsEver(string? prefer)
    {
        foreach (var (method, path, expected, message) in new[]
        {
            ("POST", "", 201, "app installed"), ("POST", "", 200, "app updated"), ("POST", "/web/stop", 200, "app is to stop"),
            ("POST", "/web/start", 200, "app is to run"), ("DELETE", "/web", 200, "app removed"),
        })
        {
            using var response = await SendAsync(method, path, prefer);
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

            Assert.That(((int)response.StatusCode, (string?)answer["message"]), Is.EqualTo((expected, message)), path);
            Assert.That(response.Headers.Contains("Preference-Applied"), Is.False);
            Assert.That(response.Headers.Location?.ToString(), Is.EqualTo(expected == 201 ? "/api/v1/apps/web" : null));
            Assert.That(response.Headers.GetValues("Link").Single(), Does.Match("^</api/v1/jobs/[A-Za-z0-9_-]+>; rel=\"monitor\"$"));
        }
    }

    [Test]
    public async Task Commands_ThatAreRefused_OpenNoJob()
    {
        foreach (var (method, path, expected) in new[] { ("POST", "/none/start", 404), ("POST", "/none/stop", 404), ("DELETE", "/none", 404) })
        {
            using var response = await SendAsync(method, path, "respond-async");
            Assert.That(((int)response.StatusCode, response.Headers.Contains("Preference-Applied"), response.Headers.Contains("Link")),
                Is.EqualTo((expected, false, false)));
        }
        using var invalid = await SendAsync("POST", "", "respond-async", "name: Not A Name\n");
        Assert.That((int)invalid.StatusCode, Is.EqualTo(400));
        Assert.That((await _appliance.Api.GetAsync("/api/v1/jobs"))["jobs"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task Cancel_WhileTheImageIsFetched_TakesTheAppOutAgain()
    {
        _appliance.Engine.PullReports = [new PullProgress(250, 1000)];
        _appliance.Engine.PullGate = new TaskCompletionSource().Task;
        var (_, _, _, job) = await CommandAsync("POST", "", "respond-async");
        var path = $"/api/v1/jobs/{job["id"]}";
        var fetching = await UntilAsync(path, j => (string?)j["progress"]!["phase"] == "Fetch images" && (long)j["progress"]!["done"]! == 250);
        Assert.That(((int)fetching["progress"]!["percent"]!, (bool)fetching["cancellable"]!), Is.EqualTo((25, true)));
        Assert.That(await StatusOfAppAsync(), Is.EqualTo("installing"));

        using var cancelled = await _appliance.SendAsync(HttpMethod.Delete, path);
        using var again = await _appliance.SendAsync(HttpMethod.Delete, path);

        Assert.That(((int)cancelled.StatusCode, (int)again.StatusCode), Is.EqualTo((200, 200)));
        Assert.That((string?)JsonNode.Parse(await again.Content.ReadAsStringAsync())!["state"], Is.EqualTo("cancelled"));
        using var app = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps/web");
        Assert.That((int)app.StatusCode, Is.EqualTo(404));
        var audit = (await _appliance.Api.GetAsync("/api/v1/system/audit"))["entries"]!.AsArray();
        Assert.That(audit.Count(e => (string?)e!["kind"] == "job.cancelled"), Is.EqualTo(1), "only what had an effect");
    }

    [Test]
    public async Task Cancel_OfAStop_Is409AndSaysWhatToDo()
    {
        await EndAsync((await CommandAsync("POST", "", "respond-async")).Body);
        var gate = new TaskCompletionSource();
        _appliance.Engine.StopGate = gate.Task;
        var (_, _, _, job) = await CommandAsync("POST", "/web/stop", "respond-async");

        using var refused = await _appliance.SendAsync(HttpMethod.Delete, $"/api/v1/jobs/{job["id"]}");
        var problem = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!;

        Assert.That(((int)refused.StatusCode, (string?)problem["code"], problem["next_step"] is not null), Is.EqualTo((409, "not_cancellable", true)));
        gate.SetResult();
        Assert.That((string?)(await EndAsync(job))["state"], Is.EqualTo("succeeded"));
    }

    [Test]
    public async Task Jobs_OfAnotherSession_AreTheOwnersAndNobodyElses()
    {
        _appliance.Engine.PullGate = new TaskCompletionSource().Task;
        var (_, _, _, job) = await CommandAsync("POST", "", "respond-async");
        var path = $"jobs/{job["id"]}";
        var tokens = _appliance.Services.GetRequiredService<ApiTokenStore>();
        using var reader = new Caller(_appliance, "127.0.0.1", tokens.Create("reader", TokenScope.Read, null)!.Value.Token);
        using var writer = new Caller(_appliance, "127.0.0.1", tokens.Create("writer", TokenScope.Write, null)!.Value.Token);
        await using var stranger = new StrangerClient(_appliance);

        using var unknown = await stranger.GetAsync("/api/v1/" + path);
        Assert.That((int)unknown.StatusCode, Is.EqualTo(401));
        Assert.That(await reader.StatusAsync("GET", path), Is.EqualTo(200));
        Assert.That(await reader.StatusAsync("DELETE", path), Is.EqualTo(403));
        Assert.That(await writer.StatusAsync("DELETE", "jobs/" + new string('x', 3000)), Is.EqualTo(404));
        Assert.That(await writer.StatusAsync("DELETE", path), Is.EqualTo(200), "the owner's sessions and tokens are all the owner");
    }

    [Test]
    public async Task Error_OfAFailedJob_IsAProblem()
    {
        _appliance.Engine.Faults["pull"] = new ContainerFault(ContainerFaultKind.SignInNeeded, "The registry wants a sign-in.", "Check the name.");

        var end = await EndAsync((await CommandAsync("POST", "", "respond-async")).Body);

        Assert.That(end["error"]!.ToJsonString(), Is.EqualTo(
            """{"type":"urn:piccolo:problem:sign_in_needed","title":"Sign in needed","code":"sign_in_needed","""
            + "\"detail\":\"The registry wants a sign-in. Check the name.\"}"));
        var container = (await _appliance.Api.GetAsync("/api/v1/apps/web"))["data"]!["containers"]![0]!;
        Assert.That(((string?)container["status"], (string?)container["reason"], container["next_attempt"] is not null, container["exit_code"] is null),
            Is.EqualTo(("failed", "sign_in_needed", true, true)));
    }

    [Test]
    public async Task Lock_WhileAJobGoesOn_EndsItAsInterrupted()
    {
        _appliance.Engine.PullGate = new TaskCompletionSource().Task;
        var (_, _, _, job) = await CommandAsync("POST", "", "respond-async");
        var events = _appliance.SendAsync(HttpMethod.Get, $"/api/v1/jobs/{job["id"]}/events");

        using var locked = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/lock");

        Assert.That((int)locked.StatusCode, Is.EqualTo(200));
        using var response = await events.WaitAsync(Limit);
        Assert.That(await response.Content.ReadAsStringAsync().WaitAsync(Limit), Does.Contain("event: ended").And.Contain("\"state\":\"interrupted\"")
            .And.Contain("\"code\":\"locked\""));
    }

    private async Task<string?> StatusOfAppAsync() => (string?)(await _appliance.Api.GetAsync("/api/v1/apps/web"))["data"]!["app"]!["status"];

    private async Task<(int Status, string? Location, string? Applied, JsonNode Body)> CommandAsync(string method, string path, string prefer)
    {
        using var response = await SendAsync(method, path, prefer);
        var applied = response.Headers.TryGetValues("Preference-Applied", out var values) ? values.Single() : null;
        return ((int)response.StatusCode, response.Headers.Location?.ToString(), applied, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private Task<HttpResponseMessage> SendAsync(string method, string path, string? prefer, string manifest = Manifest) => _appliance.SendAsync(
        HttpMethod.Parse(method), "/api/v1/apps" + path, path.Length == 0 ? new StringContent(manifest, Encoding.UTF8, "application/yaml") : null, request =>
        {
            if (prefer is not null) request.Headers.TryAddWithoutValidation("Prefer", prefer);
        });

    /// <summary>Its events end with it.</summary>
    private async Task<JsonNode> EndAsync(JsonNode job)
    {
        using var events = await _appliance.SendAsync(HttpMethod.Get, $"/api/v1/jobs/{job["id"]}/events").WaitAsync(Limit);
        await events.Content.ReadAsStringAsync().WaitAsync(Limit);
        return await _appliance.Api.GetAsync($"/api/v1/jobs/{job["id"]}");
    }

    private async Task<JsonNode> UntilAsync(string path, Func<JsonNode, bool> isSo)
    {
        var board = _appliance.Services.GetRequiredService<AppStatusBoard>();
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var job = await _appliance.Api.GetAsync(path);
            if (isSo(job)) return job;
            await board.Changed.WaitAsync(board.Changed.Version, TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
        }
    }
}
