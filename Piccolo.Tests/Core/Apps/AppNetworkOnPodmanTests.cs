using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Apps;
using Piccolo.Core.Health;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Fakes.Networks;

namespace Piccolo.Tests.Core.Apps;

/// <summary>From a manifest's text to what its services reach, on a real engine in a network of the test's own.</summary>
[Category("NeedsPodman"), Category("NeedsRoot")]
internal sealed class AppNetworkOnPodmanTests : AppsOnPodmanFixture
{
    private const string Pair = $$"""
        name: web
        services:
          front: { image: {{SampleImage.Name}}, permissions: { network: { internet: allow } } }
          back: { image: {{SampleImage.Name}} }
        listeners: [{ name: web, service: front, guest_port: 8080, protocol: http }]

        """;

    private protected override async Task<AppNetworks?> NewNetworksAsync() => await AppNetworks.CreateAsync();

    [Test]
    public async Task Manifest_AllowsTheInternetToOneService_ThatOneReachesItUntilTheManifestSaysOtherwise()
    {
        var guard = Install(Pair);
        await UntilAsync(AppState.Running);
        Assert.That(await GetAsync(guard, "healthz"), Is.EqualTo("ok\n"));
        Assert.That(await ReachAsync("front"), Is.EqualTo("ok"));
        Assert.That(await ReachAsync("back"), Is.Not.EqualTo("ok"));

        var before = ContainerOf("front");
        Install(Pair.Replace("internet: allow", "internet: deny", StringComparison.Ordinal));
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is { State: AppState.Running } && ContainerOf("front") is { } now && now != before,
            () => $"{Board.Find("web")}");

        Assert.That(await ReachAsync("front"), Is.Not.EqualTo("ok"));
        Assert.That(await _networks!.Box.RunAsync("nft", ["list", "set", "inet", "piccolo_apps", "internet"]), Does.Not.Contain("elements"));

        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
    }

    [Test]
    public async Task Firewall_ThatCannotBeWritten_IsSaidByTheAppAndByTheHealthOfTheBox()
    {
        _nft!.Refusal = "Operation not permitted";
        Install(Pair);

        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is { State: AppState.Running, Detail.Length: > 0 }, () => $"{Board.Find("web")}");

        Assert.That(Board.Find("web")!.Detail, Does.StartWith("The firewall cannot be asked or written"));
        Assert.That(await ReachAsync("front"), Is.Not.EqualTo("ok"), "closed, and said so");
        var health = _services.GetRequiredService<HealthTracker>();
        Assert.That(health.Snapshot.Reported[HealthComponents.Firewall].Level, Is.EqualTo(HealthLevel.Degraded));
    }

    private string? ContainerOf(string service) => Board.Find("web")?.Services.FirstOrDefault(s => s.Name == service)?.ContainerId;

    private async Task<string> ReachAsync(string service) => AppNetworks.Reach(
        int.Parse((await _podman.RunAsync(["inspect", "--format", "{{.State.Pid}}", ContainerOf(service)!])).Trim(), null), AppNetworks.Internet);
}
