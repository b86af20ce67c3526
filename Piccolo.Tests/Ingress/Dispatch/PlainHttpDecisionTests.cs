using Piccolo.Api.Ingress.Dispatch;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Ingress.Dispatch;

internal sealed class PlainHttpDecisionTests
{
    private static readonly Route Portal = new Route.Portal(DomainName.Parse("portal.home.test"));

    [TestCase(ConnectionOrigin.Loopback, true, PlainHttpResponse.Portal)]
    [TestCase(ConnectionOrigin.Lan, true, PlainHttpResponse.Portal)]
    [TestCase(ConnectionOrigin.Lan, false, PlainHttpResponse.NetworkRefused)]
    [TestCase(ConnectionOrigin.Forwarded, false, PlainHttpResponse.NetworkRefused)]
    [TestCase(ConnectionOrigin.Forwarded, true, PlainHttpResponse.Portal)]
    [TestCase(ConnectionOrigin.Container, true, PlainHttpResponse.NetworkRefused)]
    [TestCase(ConnectionOrigin.Tunnel, false, PlainHttpResponse.Misdirected)]
    public void Decide_AllowedHost_GoesByOrigin(ConnectionOrigin origin, bool admitted, PlainHttpResponse expected) =>
        Assert.That(PlainHttpDecision.Decide(null, false, true, From(origin, admitted)), Is.EqualTo(expected));

    [TestCase(ConnectionOrigin.Loopback, PlainHttpResponse.Misdirected)]
    [TestCase(ConnectionOrigin.Lan, PlainHttpResponse.Misdirected)]
    [TestCase(ConnectionOrigin.Forwarded, PlainHttpResponse.Misdirected)]
    [TestCase(ConnectionOrigin.Tunnel, PlainHttpResponse.Misdirected)]
    public void Decide_ForeignHost_IsMisdirected(ConnectionOrigin origin, PlainHttpResponse expected) =>
        Assert.That(PlainHttpDecision.Decide(null, false, false, From(origin, true)), Is.EqualTo(expected));

    [TestCase(ConnectionOrigin.Lan, true, true, PlainHttpResponse.Portal)]
    [TestCase(ConnectionOrigin.Lan, false, true, PlainHttpResponse.Redirect)]
    [TestCase(ConnectionOrigin.Forwarded, false, true, PlainHttpResponse.Redirect)]
    [TestCase(ConnectionOrigin.Tunnel, false, true, PlainHttpResponse.Redirect)]
    [TestCase(ConnectionOrigin.Tunnel, false, false, PlainHttpResponse.NotReady)]
    [TestCase(ConnectionOrigin.Container, true, true, PlainHttpResponse.Redirect)]
    public void Decide_PortalsPublicName_IsServedInClearOnTheLanOnly(ConnectionOrigin origin, bool admitted, bool certificate, PlainHttpResponse expected) =>
        Assert.That(PlainHttpDecision.Decide(Portal, certificate, true, From(origin, admitted)), Is.EqualTo(expected));

    [Test]
    public void Decide_AppWithoutATlsPort_IsNotServed()
    {
        var app = new Route.App(DomainName.Parse("web.home.test"), FrontDoor.Listener("web", 1, ListenerFlow.Tcp, ListenerProtocol.Http, 80));

        Assert.That(PlainHttpDecision.Decide(app, true, false, From(ConnectionOrigin.Tunnel, false)), Is.EqualTo(PlainHttpResponse.NotServed));
    }

    private static ConnectionOriginFeature From(ConnectionOrigin origin, bool admitted) => new(origin, null, 80, null, admitted);
}
