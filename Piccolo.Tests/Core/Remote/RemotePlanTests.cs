using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Routing;

namespace Piccolo.Tests.Core.Remote;

internal sealed class RemotePlanTests
{
    private static readonly RemoteSettings Settings = new("wss://relay.test", "secret", "home.test", "portal.home.test", true, DateTimeOffset.UnixEpoch);

    [Test]
    public void Build_DisabledOrMissing_IsEmpty()
    {
        Assert.That(Build(null, Listener("web")), Is.EqualTo(RemotePlan.Empty));
        Assert.That(Build(Settings with { Enabled = false }, Listener("web")), Is.EqualTo(RemotePlan.Empty));
    }

    [Test]
    public void Build_TerminatedAndPassedThrough_OrdersOnlyForWhatEndsHere()
    {
        var plan = Build(Settings, Listener("web"), Listener("raw", ListenerFlow.Tls, ListenerProtocol.Raw));

        Assert.That(plan.Hostnames, Is.EqualTo(new[] { "portal.home.test", "raw.home.test", "web.home.test" }));
        Assert.That(plan.Certificates.Select(c => c.Id), Is.EqualTo(new[] { "portal", "host:web.home.test" }));
    }

    [Test]
    public void Build_AppLedElsewhere_RoutesToTheLeaderAndOrdersNothing()
    {
        var leader = new Uri("https://10.0.0.2");
        var plan = RemotePlan.Build(Settings, [Listener("web")], _ => Role.FollowerOf(leader));

        Assert.That(plan.Routes.OfType<Route.Leader>().Single().LeaderOrigin, Is.EqualTo(leader));
        Assert.That(plan.Hostnames, Does.Contain("web.home.test"));
        Assert.That(plan.Certificates.Select(c => c.Id), Is.EqualTo(new[] { "portal" }));
    }

    [Test]
    public void Build_ListenerWhoseNameIsTooLong_IsLeftOutAlone()
    {
        var domain = $"{new string('a', 63)}.{new string('b', 63)}.{new string('c', 63)}.test";
        var tooLong = new string('l', 60);

        var plan = Build(Settings with { Domain = domain, PortalHost = "portal." + domain }, Listener(tooLong), Listener("web"));

        Assert.That(plan.Hostnames, Is.EquivalentTo(new[] { "portal." + domain, "web." + domain }));
        Assert.That(plan.LeftOut.Single(), Does.Contain(tooLong).And.Contain("253"));
    }

    [Test]
    public void Build_MoreCertificatesThanAreKept_KeepsThePortalAndSaysHowManyAreLeftOut()
    {
        var plan = Build(Settings, [.. Enumerable.Range(0, 1005).Select(i => Listener($"l{i}"))]);

        Assert.That(plan.Certificates, Has.Length.EqualTo(1000));
        Assert.That(plan.Certificates[0].Id, Is.EqualTo("portal"));
        Assert.That(plan.LeftOut.Single(), Does.StartWith("6 names get no certificate"));
    }

    [Test]
    public void Build_ListenerNamedLikeThePortal_LosesToThePortal()
    {
        var plan = Build(Settings, Listener("portal"));

        Assert.That(plan.LeftOut.Single(), Does.Contain("portal's"));

        Assert.That(plan.Routes, Has.Length.EqualTo(1));
        Assert.That(plan.Routes[0], Is.InstanceOf<Route.Portal>());
    }

    [Test]
    public void Build_Aliases_AreRoutedAndCertifiedOnceVerified()
    {
        var plan = RemotePlan.Build(
            Settings, [Listener("web"), Listener("raw", ListenerFlow.Tls, ListenerProtocol.Raw)], _ => Role.Leader,
            [Alias("www.elsewhere.test", "web"), Alias("me.elsewhere.test", "portal"), Alias("raw.elsewhere.test", "raw"),
                Alias("late.elsewhere.test", "web", verified: false), Alias("x.elsewhere.test", "gone"), Alias("web.home.test", "portal")]);

        Assert.That(plan.Hostnames.Where(h => h.EndsWith("elsewhere.test", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "me.elsewhere.test", "raw.elsewhere.test", "www.elsewhere.test" }));
        Assert.That(plan.Certificates.Select(c => c.Id),
            Is.EquivalentTo(new[] { "portal", "host:web.home.test", "alias:www.elsewhere.test", "alias:me.elsewhere.test" }));
        Assert.That(plan.Routes.Single(r => r.Host.Value == "me.elsewhere.test"), Is.InstanceOf<Route.Portal>());
        Assert.That(plan.Routes.Single(r => r.Host.Value == "web.home.test"), Is.InstanceOf<Route.App>(), "a listener's own name is not given away");
    }

    [TestCase("web.home.test", 443, typeof(RouteDecision.Terminate))]
    [TestCase("WEB.home.test", 443, typeof(RouteDecision.Terminate))]
    [TestCase("portal.home.test", 443, typeof(RouteDecision.Terminate))]
    [TestCase("raw.home.test", 443, typeof(RouteDecision.PassThrough))]
    [TestCase("web.home.test", 80, typeof(RouteDecision.Refuse))]
    [TestCase("web.home.test", 8443, typeof(RouteDecision.Refuse))]
    [TestCase("x.web.home.test", 443, typeof(RouteDecision.Refuse))]
    [TestCase("home.test", 443, typeof(RouteDecision.Refuse))]
    [TestCase("other.test", 443, typeof(RouteDecision.Refuse))]
    [TestCase(null, 443, typeof(RouteDecision.Refuse))]
    public void DecideTls_NameAndPort_FollowTheTable(string? name, int port, Type expected)
    {
        var plan = Build(Settings, Listener("web"), Listener("raw", ListenerFlow.Tls, ListenerProtocol.Raw));

        Assert.That(Router.DecideTls(new RouteTable(plan.Routes), name, port), Is.InstanceOf(expected));
    }

    [Test]
    public void DecideTls_LeaderElsewhere_GoesThereOrIsRefusedWhenUnknown()
    {
        var known = new RouteTable(RemotePlan.Build(Settings, [Listener("web")], _ => Role.FollowerOf(new Uri("https://10.0.0.2"))).Routes);
        var unknown = new RouteTable(RemotePlan.Build(Settings, [Listener("web")], _ => Role.FollowerOf(null)).Routes);

        Assert.That(Router.DecideTls(known, "web.home.test", 443), Is.EqualTo(new RouteDecision.ToLeader(new Uri("https://10.0.0.2"))));
        Assert.That(Router.DecideTls(unknown, "web.home.test", 443), Is.EqualTo(new RouteDecision.Refuse(RefusalReason.LeaderUnknown)));
    }

    private static RemoteAlias Alias(string name, string listener, bool verified = true) =>
        new("alias:" + name, name, listener, DateTimeOffset.UnixEpoch, verified ? DateTimeOffset.UnixEpoch : null, null, null, null);

    private static RemotePlan Build(RemoteSettings? settings, params PublishedListener[] listeners) => RemotePlan.Build(settings, listeners, _ => Role.Leader);

    private static PublishedListener Listener(string name, ListenerFlow flow = ListenerFlow.Tcp, ListenerProtocol protocol = ListenerProtocol.Http) =>
        new("app", new ListenerDefinition(name, 8080, flow, protocol, ListenerDefinition.DefaultRemotePorts), 15000, 35000);
}
