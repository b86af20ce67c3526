using System.Net.Sockets;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Fakes.Networks;
using static Piccolo.Tests.Fakes.Networks.AppNetworks;

namespace Piccolo.Tests.Core.Containers.Firewall;

/// <summary>What services reach, tried from their own networks, with the firewall's table as a package installs it.</summary>
[Category("NeedsPodman"), Category("NeedsRoot")]
internal sealed class AppNetworkRulesTests : AppNetworkFixture
{
    private static readonly string[] Everywhere = [Internet, Lan, OtherPrivate, PublicButAttached, Carrier, LinkLocal, BoxOnTheLan];

    /// <summary>What the other tests find closed is there, and only the table closes it.</summary>
    [Test]
    public async Task WithoutTheTable_EverythingIsReached()
    {
        var (_, service) = await RunAsync(Allowing("web"));
        await _networks!.Box.RunAsync("nft", ["delete", "table", "inet", "piccolo_apps"]);
        try
        {
            foreach (var address in Everywhere.Append(await GatewayAsync("web")).Append(TestFirewall.Resolver))
                Assert.That(Reach(service, address), Is.EqualTo("ok"), address);
            foreach (var address in new[] { Internet, Lan, TestFirewall.Resolver, BoxOnTheLan })
                Assert.That(Reach(service, address, 53), Is.EqualTo("ok"), address);
            foreach (var address in new[] { Internet, Lan, TestFirewall.Resolver })
                Assert.That(Reach(service, address, 53, ProtocolType.Udp), Is.EqualTo("ok"), address);
        }
        finally
        {
            await _networks.Box.RunAsync("nft", ["-f", PodmanServer.FirewallFile]);
        }
    }

    [Test]
    public async Task Nothing_Allowed_NobodyIsReachedAndNobodyWaits()
    {
        var (_, service) = await RunAsync(Allowing("web"));
        var gateway = await GatewayAsync("web");
        var began = TimeProvider.System.GetTimestamp();

        foreach (var address in Everywhere.Append(gateway))
            foreach (var port in new[] { AppNetworks.Port, 53 })
                Assert.That(Reach(service, address, port), Is.EqualTo("ConnectionRefused"), $"{address} {port}");
        foreach (var address in new[] { Internet, Lan, TestFirewall.Resolver })
            Assert.That(Reach(service, address, 53, ProtocolType.Udp), Is.Not.EqualTo("ok"), address);
        Assert.That(Reach(service, TestFirewall.Resolver, 53), Is.EqualTo("ConnectionRefused"));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(20)));
    }

    [Test]
    public async Task Internet_Allowed_IsReachedWithNamesAndNothingElseIs()
    {
        var (_, service) = await RunAsync(Allowing("web", internet: true, dns: true));

        Assert.That(Reach(service, Internet), Is.EqualTo("ok"));
        Assert.That(Reach(service, Internet, protocol: ProtocolType.Udp), Is.EqualTo("ok"));
        Assert.That(Reach(service, Internet, 53), Is.EqualTo("ok"));
        Assert.That(Reach(service, TestFirewall.Resolver, 53), Is.EqualTo("ok"));
        Assert.That(Reach(service, TestFirewall.Resolver, 53, ProtocolType.Udp), Is.EqualTo("ok"));
        foreach (var address in Everywhere.Skip(1).Append(await GatewayAsync("web")).Append(TestFirewall.Resolver))
            Assert.That(Reach(service, address), Is.Not.EqualTo("ok"), address);
        Assert.That(Reach(service, Lan, 53), Is.Not.EqualTo("ok"), "another device's port 53 is no resolver");
        Assert.That(Reach(service, BoxOnTheLan, 53), Is.Not.EqualTo("ok"));
    }

    [Test]
    public async Task LocalNetwork_Allowed_IsReachedAndTheBoxItselfIsNot()
    {
        var (_, service) = await RunAsync(Allowing("web", local: true, dns: true));

        foreach (var address in new[] { Lan, OtherPrivate, PublicButAttached }) Assert.That(Reach(service, address), Is.EqualTo("ok"), address);
        Assert.That(Reach(service, Lan, protocol: ProtocolType.Udp), Is.EqualTo("ok"));
        foreach (var address in new[] { Internet, Carrier, LinkLocal, BoxOnTheLan, BoxBesides, await GatewayAsync("web") })
            Assert.That(Reach(service, address), Is.Not.EqualTo("ok"), address);
        Assert.That(Reach(service, BoxOnTheLan, 53), Is.Not.EqualTo("ok"));
    }

    [Test]
    public async Task Dns_AllowedAlone_IsTheResolverAndNoOtherPort()
    {
        var (_, service) = await RunAsync(Allowing("web", dns: true));

        Assert.That(Reach(service, TestFirewall.Resolver, 53), Is.EqualTo("ok"));
        Assert.That(Reach(service, TestFirewall.Resolver, 53, ProtocolType.Udp), Is.EqualTo("ok"));
        Assert.That(Reach(service, TestFirewall.Resolver), Is.Not.EqualTo("ok"));
        foreach (var address in Everywhere) Assert.That(Reach(service, address, 53), Is.Not.EqualTo("ok"), address);
    }

    [Test]
    public async Task Dns_DeniedBesideTheInternet_ClosesPort53()
    {
        var (_, service) = await RunAsync(Allowing("web", internet: true));

        Assert.That(Reach(service, Internet), Is.EqualTo("ok"));
        foreach (var address in new[] { Internet, TestFirewall.Resolver }) Assert.That(Reach(service, address, 53), Is.Not.EqualTo("ok"), address);
        Assert.That(Reach(service, Internet, 53, ProtocolType.Udp), Is.Not.EqualTo("ok"));
    }

    /// <summary>Where the box is its own resolver, that port opens, and only that.</summary>
    [Test]
    public async Task Dns_OfTheBoxItself_OpensNoOtherPortOfIt()
    {
        var (_, service) = await RunAsync(Allowing("web", dns: true));
        Assert.That(Reach(service, BoxOnTheLan, 53), Is.Not.EqualTo("ok"));
        var firewall = FirewallWith(new HostPicture([BoxOnTheLan], null));

        Assert.That(await firewall.BringAboutAsync([new(await AddressAsync("web", "main"), new(false, false, Dns: true))], default), Is.Null);

        Assert.That(Reach(service, BoxOnTheLan, 53), Is.EqualTo("ok"));
        Assert.That(Reach(service, BoxOnTheLan), Is.Not.EqualTo("ok"));
        Assert.That(Reach(service, await GatewayAsync("web"), 53), Is.Not.EqualTo("ok"));
    }

    [Test]
    public async Task Apps_WithEveryRight_DoNotReachEachOther()
    {
        await ServeAsync(Allowing("one", true, true, true));
        var (_, two) = await RunAsync(Allowing("two", true, true, true));
        var address = await AddressAsync("one", "main");

        Assert.That(Reach(two, Lan), Is.EqualTo("ok"));
        Assert.That(Reach(two, address, 8080), Is.Not.EqualTo("ok"));
        Assert.That(Reach(two, await GatewayAsync("one")), Is.Not.EqualTo("ok"));
    }

    [Test]
    public async Task Services_OfOneApp_HaveEachTheirOwnRightsAndReachEachOther()
    {
        await ServeAsync(InApp(Allowing("web", internet: true, dns: true), "db"));
        var (_, db) = await RunAsync(InApp(Allowing("web", service: "db"), "main"));
        var main = int.Parse((await _podman.RunAsync(["inspect", "--format", "{{.State.Pid}}", ContainerSpec.NameOf(_instance, "web")])).Trim(), null);

        Assert.That(Reach(main, Internet), Is.EqualTo("ok"));
        Assert.That(Reach(db, Internet), Is.Not.EqualTo("ok"));
        Assert.That(Reach(db, await AddressAsync("web", "main"), 8080), Is.EqualTo("ok"), "within the app");
    }

    /// <summary>Also where one of them is the resolver: then its port 53 is open, and nothing else of it.</summary>
    [Test]
    public async Task Owner_ContainersOfHisOwn_AreNotReached()
    {
        var (_, web) = await RunAsync(Allowing("web", true, true, true));
        var own = (await _podman.RunAsync(
            ["run", "--detach", "--publish", $"{BoxBesides}:8123:8080", "--publish", $"{BoxBesides}:53:8080", SampleImage.Name])).Trim();
        var network = (await _podman.RunAsync(["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", own])).Trim();
        try
        {
            foreach (var place in new[] { $"{network}:8080", $"{BoxBesides}:8123", $"{BoxBesides}:53" })
                await GuardPort.GetAsync(_http, $"http://{place}/healthz");
            Assert.That(Reach(web, BoxBesides, 8123), Is.Not.EqualTo("ok"), "published at an address of the box");
            Assert.That(Reach(web, BoxBesides, 53), Is.Not.EqualTo("ok"), "no resolver yet");
            var firewall = FirewallWith(new HostPicture([BoxBesides], new HostNetworks([], [network])));

            Assert.That(await firewall.BringAboutAsync([new(await AddressAsync("web", "main"), NetworkRights.All)], default), Is.Null);

            Assert.That(Reach(web, network, 8080), Is.Not.EqualTo("ok"), "by its own address");
            Assert.That(Reach(web, BoxBesides, 8123), Is.Not.EqualTo("ok"));
            Assert.That(Reach(web, BoxBesides, 53), Is.EqualTo("ok"));
        }
        finally
        {
            await _podman.RunAsync(["rm", "--force", "--time", "0", own]);
        }
    }

    [Test]
    public async Task FrontDoor_AppWithoutRights_AnswersOverItsGuardPortAndItsAddress()
    {
        var (_, port) = await ServeAsync(Allowing("web"));

        Assert.That(await GetAsync(port, "healthz"), Is.EqualTo("ok\n"));
        Assert.That(await GuardPort.GetAsync(_http, $"http://{await AddressAsync("web", "main")}:8080/healthz"), Is.EqualTo("ok\n"), "as health checks ask");
    }
}
