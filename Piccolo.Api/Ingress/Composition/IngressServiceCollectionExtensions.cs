using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Dispatch;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Api.Ingress.Forwarding.Direct;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.PassThrough;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Api.Ingress.Transports;
using Piccolo.Api.Ingress.Transports.LanPorts;
using Piccolo.Api.Ingress.Transports.PlainPort;
using Piccolo.Api.Ingress.Transports.TlsPort;
using Piccolo.Api.Ingress.Transports.Tunnel;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;

namespace Piccolo.Api.Ingress.Composition;

/// <summary>Registers the front door.</summary>
internal static class IngressServiceCollectionExtensions
{
    public static IServiceCollection AddIngress(this IServiceCollection services)
    {
        services.AddOptions<IngressOptions>().BindConfiguration(IngressOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<IngressOptions>, IngressOptionsValidator>();
        services.TryAddSingleton<OpenFiles>();
        services.AddSingleton<IPostConfigureOptions<IngressOptions>, DescriptorBudget>();
        services.AddOptions<HttpLimitOptions>().BindConfiguration(HttpLimitOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, HttpLimitSetup>();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, IngressKestrelSetup>();
        services.AddOptions<SocketTransportOptions>()
            .Configure<IOptions<IngressOptions>>(static (sockets, ingress) =>
                sockets.CreateBoundListenSocket = endPoint => ListenSockets.CreateBound(endPoint, ingress.Value));
        services.AddSharedState().AddConnections().AddLanPorts().AddTunnelTransport();
        services.AddNetwork().AddHostedService<OriginRefreshLoop>();
        services.AddHttpForwarder();
        services.TryAddSingleton<OwnPorts>();
        services.TryAddSingleton<DeviceCertificate>();
        services.AddHostedService<DeviceCertificateLoop>();
        services.TryAddSingleton<HostAllowList>();
        services.TryAddSingleton<AppConnections>();
        services.AddHostedService<MemoryTrim>();
        services.TryAddSingleton<AppExchange>();
        services.TryAddSingleton<ForwardFailureLog>();
        services.TryAddSingleton<AppForwarder>();
        services.TryAddSingleton<AccessLog>();
        return services;
    }

    /// <summary>What other features fill and the front door reads.</summary>
    private static IServiceCollection AddSharedState(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RouteTableHolder>();
        services.TryAddSingleton<ListenerTable>();
        services.TryAddSingleton<ServerCertificateTable>();
        services.TryAddSingleton<Http01Challenges>();
        services.TryAddSingleton(s => new TlsAlpn01Challenges(s.GetRequiredService<TimeProvider>()));
        return services;
    }

    private static IServiceCollection AddConnections(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<IngressMetrics>();
        services.TryAddSingleton<ListenerTraffic>();
        services.TryAddSingleton<ConnectionPlaces>();
        services.TryAddSingleton<ConnectionsPerAddress>();
        services.TryAddSingleton<AppConnectionQuota>();
        services.TryAddSingleton<WaitingPeeks>();
        services.TryAddSingleton<RunningHandshakes>();
        services.TryAddSingleton<OriginClassifier>();
        services.TryAddSingleton<TrustedProxies>();
        services.TryAddSingleton<ProxyHeaderReader>();
        services.TryAddSingleton<ClientHelloPeek>();
        services.TryAddSingleton<ConnectionAdmission>();
        services.TryAddSingleton<TlsDecider>();
        services.TryAddSingleton<TlsPortClients>();
        services.TryAddSingleton<TlsPortDispatcher>();
        services.TryAddSingleton<PassedConnections>();
        services.TryAddSingleton<SocketLoops>();
        services.TryAddSingleton<Splicer>();
        services.AddSingleton<IConnectionListenerFactory, PlainPortListenerFactory>();
        services.AddSingleton<IConnectionListenerFactory, TlsPortListenerFactory>();
        services.TryAddSingleton<ServerCertificateSelector>();
        services.TryAddSingleton<BlockPool>();
        return services;
    }

    private static IServiceCollection AddLanPorts(this IServiceCollection services)
    {
        services.TryAddSingleton<LanPortStates>();
        services.TryAddSingleton<LanPorts>();
        services.AddSingleton<IConnectionListenerFactory, LanPortListenerFactory>();
        return services;
    }

    private static IServiceCollection AddTunnelTransport(this IServiceCollection services)
    {
        services.TryAddSingleton<TunnelStreamQueues>();
        services.AddSingleton<IConnectionListenerFactory, TunnelConnectionListenerFactory>();
        services.AddHostedService<TunnelStreamDispatcher>();
        return services;
    }
}
