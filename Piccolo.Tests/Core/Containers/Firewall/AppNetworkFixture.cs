using System.Collections.Immutable;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Tests.Fakes.Networks;

namespace Piccolo.Tests.Core.Containers.Firewall;

/// <summary>An engine in networks of the test's own, with the firewall's table as a package installs it.</summary>
internal abstract class AppNetworkFixture : PodmanFixture
{
    private protected override async Task<AppNetworks?> NewNetworksAsync() => await AppNetworks.CreateAsync();

    /// <summary>Says the container's process, in whose network is tried what it reaches.</summary>
    private protected async Task<(string Id, int Process)> RunAsync(ContainerSpec spec)
    {
        var id = await StartAsync(spec);
        return (id, int.Parse((await _podman.RunAsync(["inspect", "--format", "{{.State.Pid}}", id])).Trim(), null));
    }

    protected async Task<string> AddressAsync(string app, string service) => (await _runtime.FindAsync(app, service, default)).Value!.Address!;

    protected async Task<string> GatewayAsync(string app) =>
        (await _podman.RunAsync(["network", "inspect", "--format", "{{range .Subnets}}{{.Gateway}}{{end}}", ContainerSpec.NameOf(_instance, app)])).Trim();

    private protected AppFirewall FirewallWith(HostPicture host) => new(new NftablesOf(_networks!.Box), () => host, _instance, _log.For<AppFirewall>());

    protected Task<string> SetsAsync() => _networks!.Box.RunAsync("nft", ["list", "sets"]);

    private protected ContainerSpec Allowing(
        string app, bool internet = false, bool local = false, bool dns = false, string service = ContainerSpec.MainService) =>
        Spec(app, service) with { Rights = new NetworkRights(internet, local, dns) };

    private protected static ContainerSpec InApp(ContainerSpec spec, string other) => spec with
    {
        Peers = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add(other, []),
    };
}
