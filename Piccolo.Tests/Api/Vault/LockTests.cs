using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Ingress;
using Piccolo.Core.Apps;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Vault;

/// <summary>What a lock answers is what was seen to end (design D11). That all of it ends in a box at work is <see cref="Scenarios.WholeLockTests"/>'s.</summary>
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
        Assert.That(said["unfinished"]!.AsArray().Select(s => $"{s!["step"]}: {s["reason"]}"), Is.EqualTo(new[] { "apps: Still running: web." }));
        await HealthAsync(appliance, HealthLevel.Degraded);
        Assert.That((await appliance.Api.GetAsync("/api/v1/crypto/status"))["unfinished"]!.AsArray(), Has.Count.EqualTo(1));
        using (var apps = await appliance.SendAsync(HttpMethod.Get, "/api/v1/apps")) Assert.That((int)apps.StatusCode, Is.EqualTo(423), "what could be locked is");

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
        for (var seen = board.Changed.Version; board.Find("web")?.State != AppState.Running; seen = board.Changed.Version) await board.Changed.WaitAsync(seen, limit.Token);
        return appliance;
    }

    private static async Task CalledAsync(TestAppliance appliance, string call)
    {
        using var limit = new CancellationTokenSource(Limit);
        for (var seen = appliance.Engine.Called.Version; !appliance.Engine.Calls.Contains(call); seen = appliance.Engine.Called.Version)
            await appliance.Engine.Called.WaitAsync(seen, limit.Token);
    }

    private static async Task HealthAsync(TestAppliance appliance, HealthLevel level)
    {
        var loop = appliance.Services.GetRequiredService<Piccolo.Api.Health.HealthLoop>();
        var tracker = appliance.Services.GetRequiredService<HealthTracker>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        for (var seen = loop.Went.Version; tracker.Snapshot.Reported[HealthComponents.Vault].Level != level; seen = loop.Went.Version) await loop.Went.WaitAsync(seen, limit.Token);
    }
}
