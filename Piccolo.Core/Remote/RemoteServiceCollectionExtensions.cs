using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Certificates;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Remote.Checks;
using Piccolo.Core.Remote.Dns;
using Piccolo.Core.Remote.Events;
using Piccolo.Core.Remote.Issuance;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;

namespace Piccolo.Core.Remote;

public static class RemoteServiceCollectionExtensions
{
    public static IServiceCollection AddRemoteAccess(this IServiceCollection services)
    {
        services.AddOptions<RemoteOptions>().BindConfiguration(RemoteOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<RemoteOptions>, RemoteOptionsValidator>();
        services.AddSingleton<RouteTableHolder>();
        services.AddSingleton<RemoteSettingsStore>();
        services.AddSingleton<RemoteStatusReader>();
        services.AddSingleton<IListenerUrls, RemoteListenerUrls>();
        services.AddSingleton<RemoteAccess>().AddSingleton<IHostedService>(s => s.GetRequiredService<RemoteAccess>());
        services.AddSingleton<PublicDnsResolver>().AddSingleton<ProbeNonces>().AddSingleton<FrontDoorBoard>().AddSingleton<NameProber>()
            .AddSingleton<FrontDoorProbe>().AddSingleton<IHostedService>(s => s.GetRequiredService<FrontDoorProbe>());
        services.AddSingleton<RemoteEventLog>().AddHostedService<RemoteEventLoop>();
        services.AddSingleton<PublicSuffixes>().AddSingleton<NameChecks>().AddSingleton<Port80Check>().AddSingleton<RemotePreflight>();
        services.AddSingleton<CaaLookup>();
        services.AddSingleton<RemoteAliasStore>().AddSingleton<AliasVerifier>().AddSingleton<IHostedService>(s => s.GetRequiredService<AliasVerifier>());
        services.AddSingleton<IssuanceLock>().AddSingleton<IHostedService>(s => s.GetRequiredService<IssuanceLock>());
        // A challenge can reach us only once the relay knows the name.
        return services.AddSingleton(s => OrderWhenReachable(s.GetRequiredService<RelayTunnel>()));
    }

    private static OrderGate OrderWhenReachable(RelayTunnel tunnel) =>
        new(wanted => tunnel.Status is { State: TunnelState.Online } status && wanted.Names.All(n => status.Hostnames.Contains(n.Value)), tunnel.Changed);
}
