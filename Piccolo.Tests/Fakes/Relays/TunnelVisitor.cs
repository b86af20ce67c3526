using System.Net;
using System.Net.Security;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Ingress.Transports.Tunnel;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Fakes.Relays;

/// <summary>Somebody who reaches the portal of a whole appliance through the relay, without a relay: each connection is a stream of the tunnel.</summary>
internal static class TunnelVisitor
{
    public static readonly DomainName Portal = DomainName.Parse("portal.home.test");

    /// <summary>Publishes the portal with a certificate of the given CA and returns a client for it.</summary>
    public static HttpClient Of(TestAppliance appliance, TestCa ca)
    {
        appliance.Services.GetRequiredService<RouteTableHolder>().Replace(new RouteTable([new Route.Portal(Portal)]));
        appliance.Services.GetRequiredService<ServerCertificateTable>().Replace([ca.IssueBundle(Portal.Value)]);
        var streams = appliance.Services.GetRequiredService<TunnelStreamQueues>();
        return new HttpClient(new SocketsHttpHandler
        {
            UseCookies = false,
            ConnectCallback = (_, _) =>
            {
                var stream = new FakeTunnelStream("t/1", Portal.Value, 443, isTls: true, IPEndPoint.Parse("198.51.100.7:50000"));
                Assert.That(streams.TryAdd(stream), Is.True);
                return ValueTask.FromResult(stream.User);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, _, _, errors) => !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch),
            },
        })
        { BaseAddress = new Uri($"https://{Portal}"), Timeout = FrontDoor.Patience };
    }
}
