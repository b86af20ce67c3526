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

    [TestCase(ConnectionOrigin.Loopback, true, PlainHttpAnswer.Portal)]
    [TestCase(ConnectionOrigin.Lan, true, PlainHttpAnswer.Portal)]
    [TestCase(ConnectionOrigin.Lan, false, PlainHttpAnswer.NetworkRefused)]
    [TestCase(ConnectionOrigin.Forwarded, false, PlainHttpAnswer.NetworkRefused)]
    [TestCase(ConnectionOrigin.Forwarded, true, PlainHttpAnswer.Portal)]
    [TestCase(ConnectionOrigin.Container, true, PlainHttpAnswer.NetworkRefused)]
    [TestCase(ConnectionOrigin.Tunnel, false, PlainHttpAnswer.Misdirected)]
    public void Decide_AllowedHost_GoesByOrigin(ConnectionOrigin origin, bool admitted, PlainHttpAnswer expected) =>
        Assert.That(PlainHttpDecision.Decide(null, false, true, From(origin, admitted)), Is.EqualTo(expected));

    [TestCase(ConnectionOrigin.Loopback, PlainHttpAnswer.Misdirected)]
    [TestCase(ConnectionOrigin.Lan, PlainHttpAnswer.Misdirected)]
    [TestCase(ConnectionOrigin.Forwarded, PlainHttpAnswer.Misdirected)]
    [TestCase(ConnectionOrigin.Tunnel, PlainHttpAnswer.Misdirected)]
    public void Decide_ForeignHost_IsMisdirected(ConnectionOrigin origin, PlainHttpAnswer expected) =>
        Assert.That(PlainHttpDecision.Decide(null, false, false, From(origin, true)), Is.EqualTo(expected));

    [TestCase(ConnectionOrigin.Lan, true, true, PlainHttpAnswer.Portal)]
    [TestCase(ConnectionOrigin.Lan, false, true, PlainHttpAnswer.Redirect)]
    [TestCase(ConnectionOrigin.Forwarded, false, true, PlainHttpAnswer.Redirect)]
    [TestCase(ConnectionOrigin.Tunnel, false, true, PlainHttpAnswer.Redirect)]
    [TestCase(ConnectionOrigin.Tunnel, false, false, PlainHttpAnswer.NotReady)]
    [TestCase(ConnectionOrigin.Container, true, true, PlainHttpAnswer.Redirect)]
    public void Decide_PortalsPublicName_IsServedInClearOnTheLanOnly(ConnectionOrigin origin, bool admitted, bool certificate, PlainHttpAnswer expected) =>
        Assert.That(PlainHttpDecision.Decide(Portal, certificate, true, From(origin, admitted)), Is.EqualTo(expected));

    [Test]
    public void Decide_AppWithoutATlsPort_IsNotServed()
    {
        var app = new Route.App(DomainName.Parse("web.home.test"), FrontDoor.Listener("web", 1, ListenerFlow.Tcp, ListenerProtocol.Http, 80));

        Assert.That(PlainHttpDecision.Decide(app, true, false, From(ConnectionOrigin.Tunnel, false)), Is.EqualTo(PlainHttpAnswer.NotServed));
    }

    private static ConnectionOriginFeature From(ConnectionOrigin origin, bool admitted) => new(origin, null, 80, null, admitted);
}
