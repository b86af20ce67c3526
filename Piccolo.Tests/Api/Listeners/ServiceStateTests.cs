using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Listeners;
using Piccolo.Core.Listeners;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Listeners;

/// <summary>What <c>GET /services</c> says of a listener, step by step as things happen to it.</summary>
[Category("Timing")]
internal sealed class ServiceStateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public async Task State_FollowsPortContainerAndAnswer()
    {
        int[] free = [.. LoopbackPorts.Free(3).Order()];
        await using var appliance = new TestAppliance(null,
            ("Piccolo:Ingress:ProbeInterval", "00:00:00.100"), ("Piccolo:Ingress:ProbeRetry", "00:00:00.100"), ("Piccolo:Ingress:BusyPortPatience", "00:00:01"),
            ("Piccolo:Ingress:GuardPorts", $"{free[0]}-{free[0]}"), ("Piccolo:Ingress:PublicPorts", $"{free[1]}-{free[2]}"));
        await appliance.OwnedAsync();
        var ports = appliance.Services.GetRequiredService<LanPortStates>();
        var health = appliance.Services.GetRequiredService<ListenerHealth>();

        await appliance.Api.InstallAsync("name: blog\nimage: localhost/blog:1\nlisteners:\n  - { name: web, guest_port: 8080, protocol: http }\n");
        await WhenAsync(ports.Changed, () => ports.Find("web") is { Binding: LanPortBinding.Listening });
        await WhenAsync(health.Changed, () => health.Find("web") is { Answers: false });
        var (first, _) = await ShowsAsync(appliance, "app_down", "The app does not accept connections.");

        using var app = new TcpListener(IPAddress.Loopback, free[0]);
        app.Start();
        await WhenAsync(health.Changed, () => health.Find("web") is { Answers: true });
        await ShowsAsync(appliance, "ok", null);

        // While the box is locked its LAN ports are closed, and a stranger takes one.
        await appliance.Api.PostAsync("/api/v1/crypto/lock");
        await WhenAsync(ports.Changed, () => ports.Current.IsEmpty);
        using var stranger = new TcpListener(IPAddress.Loopback, first);
        stranger.Start();
        await appliance.Api.UnlockAsync(TestAppliance.Password);
        await WhenAsync(ports.Changed, () => ports.Find("web") is { Binding: LanPortBinding.BindFailed });
        await WhenAsync(ports.Changed, () => ports.Find("web") is { Binding: LanPortBinding.Listening });
        await WhenAsync(health.Changed, () => health.Find("web") is { Answers: true });
        var (second, since) = await ShowsAsync(appliance, "ok", null);

        Assert.That(second, Is.Not.EqualTo(first));
        Assert.That(since, Is.EqualTo(TimeProvider.System.GetUtcNow()).Within(Limit));
        // The move is in the store before it is in the log.
        await appliance.Log.FirstAsync(7800).WaitAsync(Limit);
        Assert.That(appliance.Log.Count(7800), Is.EqualTo(1), "the move is told once");
    }

    [Test]
    public async Task State_AppThatWasNotHeardYet_IsListening()
    {
        await using var appliance = new TestAppliance(null, ("Piccolo:Ingress:ProbeTimeout", "00:01:00"));
        await appliance.OwnedAsync();
        var health = appliance.Services.GetRequiredService<ListenerHealth>();
        await appliance.Api.InstallAsync(
            "name: blog\nimage: localhost/blog:1\nlisteners:\n  - { name: web, guest_port: 8080, protocol: http, x-piccolo: { health_path: /well } }\n");
        await WhenAsync(health.Changed, () => health.Find("web") is { Answers: false });
        await appliance.Api.PostAsync("/api/v1/apps/blog/stop");
        await WhenAsync(health.Changed, () => health.Find("web") is null);

        // It takes the question and does not answer.
        using var app = new TcpListener(IPAddress.Loopback, appliance.Services.GetRequiredService<ListenerTable>().Current.Single().GuardPort);
        app.Start();
        await appliance.Api.PostAsync("/api/v1/apps/blog/start");
        using var asked = await app.AcceptSocketAsync().WaitAsync(Limit);
        var (_, since) = await ShowsAsync(appliance, "listening", null);

        Assert.That(since, Is.EqualTo(TimeProvider.System.GetUtcNow()).Within(Limit));
    }

    [Test]
    public async Task State_PortThatAStrangerHas_IsBindFailedWithTheReasonSinceItBegan()
    {
        await using var appliance = new TestAppliance();
        await appliance.OwnedAsync();
        var ports = appliance.Services.GetRequiredService<LanPortStates>();
        await appliance.Api.InstallAsync("name: blog\nimage: localhost/blog:1\nlisteners:\n  - { name: web, guest_port: 8080, protocol: http }\n");
        await WhenAsync(ports.Changed, () => ports.Find("web") is { Binding: LanPortBinding.Listening });
        var first = ports.Find("web")!.Port;
        await appliance.Api.PostAsync("/api/v1/crypto/lock");
        await WhenAsync(ports.Changed, () => ports.Current.IsEmpty);

        using (var stranger = new TcpListener(IPAddress.Loopback, first))
        {
            stranger.Start();
            await appliance.Api.UnlockAsync(TestAppliance.Password);
            await WhenAsync(ports.Changed, () => ports.Find("web") is { Binding: LanPortBinding.BindFailed });
            var (port, since) = await ShowsAsync(appliance, "bind_failed", ports.Find("web")!.Reason);

            Assert.That((port, since), Is.EqualTo((first, (DateTimeOffset?)ports.Find("web")!.Since)));
            Assert.That(ports.Find("web")!.Reason, Does.Contain("in use"));
        }
        await WhenAsync(ports.Changed, () => ports.Find("web") is { Binding: LanPortBinding.Listening });
        await ShowsAsync(appliance, "app_down", "The app does not accept connections.");
    }

    private static async Task<(int PublicPort, DateTimeOffset? Since)> ShowsAsync(TestAppliance appliance, string state, string? reason)
    {
        var service = (await appliance.Api.GetAsync("/api/v1/services"))["services"]!.AsArray().Single()!;
        Assert.That(((string?)service["state"], (string?)service["state_reason"]), Is.EqualTo((state, reason)));
        return ((int)service["public_port"]!, (DateTimeOffset?)service["since"]);
    }

    private static async Task WhenAsync(Piccolo.Core.Primitives.ChangeSignal changed, Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var seen = changed.Version;
            if (condition()) return;
            await changed.WaitAsync(seen, limit.Token);
        }
    }
}
