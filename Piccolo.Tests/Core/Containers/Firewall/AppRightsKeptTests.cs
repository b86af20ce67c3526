using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;
using Piccolo.Core.Health;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Core.Apps;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Networks;
using static Piccolo.Tests.Fakes.Networks.AppNetworks;

namespace Piccolo.Tests.Core.Containers.Firewall;

/// <summary>Rights over time: they come with a container and go with it, nobody takes another's, and they outlive the loading of the table.</summary>
[Category("NeedsPodman"), Category("NeedsRoot")]
internal sealed class AppRightsKeptTests : AppNetworkFixture
{
    [Test]
    public async Task Replaced_WithoutTheRight_LosesItWithTheSameAddress()
    {
        var (id, before) = await RunAsync(Allowing("web", internet: true, dns: true));
        var address = await AddressAsync("web", "main");
        Assert.That(Reach(before, Internet), Is.EqualTo("ok"));

        Assert.That(await _runtime.RemoveAsync(id, default), Is.Null);
        Assert.That(await SetsAsync(), Does.Not.Contain(address));
        var (_, after) = await RunAsync(Allowing("web"));

        Assert.That(await AddressAsync("web", "main"), Is.EqualTo(address));
        Assert.That(Reach(after, Internet), Is.Not.EqualTo("ok"));
    }

    /// <summary>The kernel still knows the flow: that must not carry it on.</summary>
    [Test]
    public async Task Right_TakenAway_EndsWhatIsUnderWay()
    {
        var (_, service) = await RunAsync(Allowing("web", internet: true, dns: true));
        var address = await AddressAsync("web", "main");
        using var socket = SocketIn(service);
        Assert.That(Ask(socket, Internet), Is.EqualTo("ok"));
        Assert.That(Ask(socket, Internet), Is.EqualTo("ok"), "the flow is established");

        var firewall = TestFirewall.Of(_instance, _log, _networks!.Box);
        Assert.That(await firewall.BringAboutAsync([new(address, default)], default), Is.Null);

        Assert.That(Ask(socket, Internet), Is.Not.EqualTo("ok"));
    }

    /// <summary>A container that may set its own addresses takes none from another app.</summary>
    [Test]
    public async Task Borrowed_AddressOfAnotherApp_GetsNobodyOut()
    {
        await RunAsync(Allowing("rich", internet: true, dns: true));
        var address = await AddressAsync("rich", "main");
        var (id, poor) = await RunAsync(Allowing("poor"));
        Assert.That(await _podman.RunAsync(["inspect", "--format", "{{.State.Running}}", id]), Is.EqualTo("true\n"));
        await _networks!.Box.RunAsync("nsenter", [$"--net=/proc/{poor}/ns/net", "ip", "addr", "add", address + "/32", "dev", "eth0"]);

        Assert.That(Reach(poor, Internet, from: address), Is.Not.EqualTo("ok"));
        Assert.That(Reach(poor, Internet, protocol: ProtocolType.Udp, from: address), Is.Not.EqualTo("ok"));
    }

    [Test]
    public async Task Loop_TableLoadedAnew_PutsTheRightsBack()
    {
        var (_, service) = await RunAsync(Allowing("web", internet: true, dns: true));
        await _networks!.Box.RunAsync("nft", ["-f", PodmanServer.FirewallFile]);
        Assert.That(Reach(service, Internet), Is.Not.EqualTo("ok"), "loaded anew, it lets nobody out");
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        var health = new HealthTracker(time, NullLogger<HealthTracker>.Instance);
        using var loop = new NetworkRightsLoop(_runtime, health, time, NullLogger<NetworkRightsLoop>.Instance);

        var before = _log.Of(5111).Count;
        await loop.StartAsync(CancellationToken.None);
        await AppRig.UntilAsync(_log.Written, () => _log.Of(5111).Count > before, () => string.Join('\n', _log.Lines));
        Assert.That(Reach(service, Internet), Is.EqualTo("ok"));

        await _networks.Box.RunAsync("nft", ["-f", PodmanServer.FirewallFile]);
        // The loop may not sleep yet.
        for (var i = 0; i < 200 && _log.Of(5111).Count == before + 1; i++)
        {
            time.Advance(TimeSpan.FromSeconds(30));
            await Task.Yield();
            Reach(service, Internet);
        }
        await loop.StopAsync(CancellationToken.None);
        Assert.That(Reach(service, Internet), Is.EqualTo("ok"));
        Assert.That(health.Snapshot.Reported[HealthComponents.Firewall].Level, Is.EqualTo(HealthLevel.Ok));
    }

    [Test]
    public async Task Table_Missing_NothingStartsUntilItIsThere()
    {
        await _networks!.Box.RunAsync("nft", ["delete", "table", "inet", "piccolo_apps"]);
        try
        {
            var made = await _runtime.CreateAsync(Allowing("web"), NoVolumes, default);

            var refused = await _runtime.StartAsync(made.Value!, default);

            Assert.That((refused!.Kind, _runtime.NetworkFault), Is.EqualTo((ContainerFaultKind.FirewallMissing, refused)));
            Assert.That((await _runtime.FindAsync("web", "main", default)).Value!.IsRunning, Is.False);
        }
        finally
        {
            await _networks.Box.RunAsync("nft", ["-f", PodmanServer.FirewallFile]);
        }
        Assert.That(await _runtime.StartAsync((await _runtime.FindAsync("web", "main", default)).Value!.Id, default), Is.Null);
        Assert.That(_runtime.NetworkFault, Is.Null);
    }

    /// <summary>An image may name our labels: what the manifest says goes before.</summary>
    [Test]
    public async Task Image_WithOurLabels_GivesItselfNoRights()
    {
        const string name = "localhost/piccolo-greedy:latest";
        await SampleImage.ImportAsync(
            _podman, name, [$"LABEL {ContainerLabels.Rights}=\"internet local_network dns\"", $"LABEL {ContainerLabels.Address}=10.0.0.1"]);
        var (_, service) = await RunAsync(Allowing("web") with { Image = ImageReference.Parse(name) });

        Assert.That(Reach(service, Internet), Is.Not.EqualTo("ok"));
        Assert.That((await _runtime.FindAsync("web", "main", default)).Value!.FixedAddress, Is.EqualTo(await AddressAsync("web", "main")));
    }
}
