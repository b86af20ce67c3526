using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;

namespace Piccolo.Tests.Core.Routing;

internal sealed class RouteTableTests
{
    private static readonly RouteTable Table = new([Portal("portal.home.test"), Portal("exact.alias.test")], [Portal("alias.test")]);

    [TestCase("portal.home.test", "portal.home.test")]
    [TestCase("PORTAL.home.test", "portal.home.test")]
    [TestCase("any.alias.test", "alias.test")]
    [TestCase("Any.Alias.Test", "alias.test")]
    [TestCase("exact.alias.test", "exact.alias.test", TestName = "an exact name goes before the wildcard")]
    [TestCase("alias.test", null, TestName = "the wildcard's own parent is no name below it")]
    [TestCase("two.labels.alias.test", null)]
    [TestCase(".alias.test", null)]
    [TestCase("notalias.test", null)]
    [TestCase("other.home.test", null)]
    [TestCase("", null)]
    public void Find_AName_GivesItsRouteOrNone(string host, string? expected) => Assert.That(Table.Find(host)?.Host.Value, Is.EqualTo(expected));

    [Test]
    public void DecideTls_UnderAWildcard_FollowsItsListener()
    {
        var listener = new PublishedListener("app", new ListenerDefinition("own", 8443, ListenerFlow.Tls, ListenerProtocol.Raw, [443]), 15000, 35000);
        var table = new RouteTable([], [new Route.App(DomainName.Parse("alias.test"), listener)]);

        Assert.That(Router.DecideTls(table, "any.alias.test", 443), Is.EqualTo(new RouteDecision.PassThrough(listener)));
        Assert.That(Router.DecideTls(table, "any.alias.test", 8443), Is.EqualTo(new RouteDecision.Refuse(RefusalReason.PortNotServed)));
    }

    private static Route.Portal Portal(string host) => new(DomainName.Parse(host));
}
