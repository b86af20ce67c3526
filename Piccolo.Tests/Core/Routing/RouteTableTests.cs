using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;

namespace Piccolo.Tests.Core.Routing;

internal sealed class RouteTableTests
{
    private static readonly RouteTable Table = new([Portal("portal.home.test")]);

    [TestCase("portal.home.test", "portal.home.test")]
    [TestCase("PORTAL.home.test", "portal.home.test")]
    [TestCase("other.home.test", null)]
    [TestCase("", null)]
    public void Find_AName_GivesItsRouteOrNone(string host, string? expected) => Assert.That(Table.Find(host)?.Host.Value, Is.EqualTo(expected));

    private static Route.Portal Portal(string host) => new(DomainName.Parse(host));
}
