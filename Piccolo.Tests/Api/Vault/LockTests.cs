using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Apps;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Jobs;
using Piccolo.Core.Listeners;
using Piccolo.Core.Locking;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Vault;

/// <summary>What a lock answers is what was seen to end. That all of it ends in a box at work is <see cref="Scenarios.WholeLockTests"/>'s.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class LockTests
{
    private const string Manifest = """
        name: web
        image: localhost/sample:1
        listeners:
          - name: web
            guest_port: 8080
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Lock_RunningApp_AnswersAfterItHasStoppedAndAllElseHasEnded()
    {
        await using var appliance = await StartWithAppAsync();
        var ports = appliance.Services.GetRequiredService<LanPortStates>();
        await RemoteBox.UntilAsync(ports.Changed, () => ports.Find("web")?.Binding == LanPortBinding.Listening, "the app's LAN port is open");
        var stop = new TaskCompletionSource();
        appliance.Engine.StopGate = stop.Task;

        var locking = appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/lock");
        await CalledAsync(appliance, "stop web");
        Assert.That(locking.IsCompleted, Is.False, "the app still runs");
        var during = await appliance.Api.GetAsync("/api/v1/crypto/status");
        stop.SetResult();
        using var answer = await locking.WaitAsync(Limit);

        Assert.That((bool)during["locked"]!, Is.True);
        Assert.That(during["unfinished"]!.AsArray().Select(s => (string)s!["step"]!), Does.Contain("apps"));
        Assert.That((int)answer.StatusCode, Is.EqualTo(200));
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("""{"message":"ok"}"""));
        Assert.That(appliance.Engine.Containers.Any(c => c.IsRunning), Is.False);
        Assert.That(appliance.Services.GetRequiredService<SealedStore>().IsOpen, Is.False);
        Assert.That(ports.Current, Is.Empty);
        Assert.That((await appliance.Api.GetAsync("/api/v1/crypto/status"))["unfinished"], Is.Null);
        Assert.That(appliance.Log.Count(6002), Is.EqualTo(1), "one line per lock change");
        await RestartedAsync(appliance);
    }

    [Test]
    public async Task Lock_RunningJob_IsCancelledAndWaitedFor()
    {
        await using var appliance = await StartWithAppAsync();
        var cancelled = new TaskCompletionSource();
        var ends = new TaskCompletionSource();
        appliance.Services.GetRequiredService<JobTable>().Start("export_full", "exports", async (_, token) =>
        {
            await token.FiredAsync();
            cancelled.SetResult();
            await ends.Task;
            return null;
        });

        var locking = appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/lock");
        await cancelled.Task.WaitAsync(Limit);
        await UnfinishedAsync(appliance, all => all.Contains("jobs: Still at work: export_full."), "the job is waited for");
        Assert.That((locking.IsCompleted, appliance.Restart.Requested), Is.EqualTo((false, 0)));
        ends.SetResult();
        using var answer = await locking.WaitAsync(Limit);

        Assert.That((int)answer.StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Lock_ClientThatGoesAway_EndsInARestartAllTheSame()
    {
        await using var appliance = await StartWithAppAsync();
        var stop = new TaskCompletionSource();
        appliance.Engine.StopGate = stop.Task;
        using (var away = new CancellationTokenSource())
        {
            var token = (string)(await appliance.Api.PostAsync("/api/v1/auth/tokens", new { name = "away" }))["token"]!;
            using var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = appliance.Api.BaseAddress };
            client.DefaultRequestHeaders.Authorization = new("Bearer", token);
            var locking = client.PostAsync(new Uri("/api/v1/crypto/lock", UriKind.Relative), null, away.Token);
            await CalledAsync(appliance, "stop web");
            await away.CancelAsync();
            Assert.That(async () => await locking, Throws.InstanceOf<OperationCanceledException>());
        }
        Assert.That(appliance.Restart.Requested, Is.Zero, "the app still runs");
        stop.SetResult();

        await RestartedAsync(appliance);
    }

    [TestCase("/api/v1/crypto/unlock")]
    [TestCase("/api/v1/auth/login")]
    public async Task Unlock_BetweenLockAndRestart_IsRefusedForAMoment(string path)
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        await appliance.Api.PostAsync("/api/v1/crypto/lock");
        appliance.Restart.IsPending = true;
        var password = JsonContent.Create(new { username = "admin", password = TestAppliance.Password });

        using var refused = await appliance.SendAsync(HttpMethod.Post, path, password);
        var said = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!;

        Assert.That(((int)refused.StatusCode, (string?)said["code"]), Is.EqualTo((503, "restarting")));
        Assert.That(refused.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(2)));
        Assert.That(refused.Headers.Contains("Set-Cookie"), Is.False);
        Assert.That(appliance.Services.GetRequiredService<SealedStore>().IsOpen, Is.False);
    }

    [Test]
    public async Task Lock_AppThatDoesNotStop_Is202WithTheReasonUntilTheRetrySucceeds()
    {
        await using var appliance = await StartWithAppAsync(("Piccolo:Lock:Patience", "00:00:00.500"));
        appliance.Engine.Faults["stop"] = RecordingContainerRuntime.Unreachable;

        using var answer = await appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/lock");
        var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

        Assert.That((int)answer.StatusCode, Is.EqualTo(202));
        Assert.That((string?)said["message"], Is.EqualTo("locked"));
        // What else takes longer than the patience on a busy machine may be in it, too.
        Assert.That(said["unfinished"]!.AsArray().Select(s => $"{s!["step"]}: {s["reason"]}"),
            Has.Member("apps: Still running: web. All connections to apps are ended."));
        await RestartedAsync(appliance);
        await HealthAsync(appliance, HealthLevel.Degraded);
        await UnfinishedAsync(appliance, all => all.All(s => s.StartsWith("apps: ", StringComparison.Ordinal)), "all but the app ends");
        Assert.That((await appliance.Api.GetAsync("/api/v1/crypto/status"))["unfinished"]!.AsArray(), Has.Count.EqualTo(1));
        using (var apps = await appliance.SendAsync(HttpMethod.Get, "/api/v1/apps"))
            Assert.That((int)apps.StatusCode, Is.EqualTo(423), "what could be locked is");

        appliance.Engine.Faults.Remove("stop");
        await HealthAsync(appliance, HealthLevel.Ok);

        Assert.That(appliance.Engine.Containers.Any(c => c.IsRunning), Is.False);
        Assert.That((await appliance.Api.GetAsync("/api/v1/crypto/status"))["unfinished"], Is.Null);
        Assert.That((appliance.Log.Count(7200), appliance.Log.Count(7201)), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Lock_EngineThatCannotBeSeen_DoesNotClaimThatAppsStopped()
    {
        await using var appliance = await StartWithAppAsync(("Piccolo:Lock:Patience", "00:00:00.500"));
        appliance.Engine.EngineFault = RecordingContainerRuntime.Unreachable;

        using var answer = await appliance.SendAsync(HttpMethod.Post, "/api/v1/crypto/lock");

        Assert.That((int)answer.StatusCode, Is.EqualTo(202));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("cannot be seen"));
    }

    private static async Task<TestAppliance> StartWithAppAsync(params (string, string)[] settings)
    {
        var appliance = await new TestAppliance(null, settings).OwnedAsync();
        appliance.Engine.AddImage("localhost/sample:1");
        await appliance.Api.InstallAsync(Manifest);
        var board = appliance.Services.GetRequiredService<AppStatusBoard>();
        using var limit = new CancellationTokenSource(Limit);
        for (var seen = board.Changed.Version; board.Find("web")?.State != AppState.Running; seen = board.Changed.Version)
            await board.Changed.WaitAsync(seen, limit.Token);
        return appliance;
    }

    /// <summary>Asked for once, and only after the answer.</summary>
    private static async Task RestartedAsync(TestAppliance appliance)
    {
        await RemoteBox.UntilAsync(appliance.Restart.Changed, () => appliance.Restart.Requested > 0, "the process starts afresh");
        Assert.That((appliance.Restart.Announced, appliance.Restart.Requested), Is.EqualTo((1, 1)));
    }

    /// <summary>Each look of the watch asks the engine: with the next one, what this one has found can be read.</summary>
    private static Task UnfinishedAsync(TestAppliance appliance, Func<IReadOnlyList<string>, bool> holds, string what)
    {
        var watch = appliance.Services.GetRequiredService<LockWatch>();
        return RemoteBox.UntilAsync(appliance.Engine.Called, () => holds([.. watch.Unfinished.Select(s => $"{s.Step}: {s.Reason}")]), what);
    }

    private static Task CalledAsync(TestAppliance appliance, string call) =>
        RemoteBox.UntilAsync(appliance.Engine.Called, () => appliance.Engine.Calls.Contains(call), call);

    private static async Task HealthAsync(TestAppliance appliance, HealthLevel level)
    {
        var loop = appliance.Services.GetRequiredService<Piccolo.Api.Health.HealthLoop>();
        var tracker = appliance.Services.GetRequiredService<HealthTracker>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        for (var seen = loop.RoundCompleted.Version; tracker.Snapshot.Reported[HealthComponents.Vault].Level != level; seen = loop.RoundCompleted.Version)
            await loop.RoundCompleted.WaitAsync(seen, limit.Token);
    }
}
