using Microsoft.Extensions.Options;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Rig.Net;
using Piccolo.Tests.Core.Apps;

namespace Piccolo.Tests.Fakes.Networks;

/// <summary>The firewall as the daemon keeps it, by the real nft, of this machine or of a network of the test's own.</summary>
internal static class TestFirewall
{
    /// <summary>The server that containers are told to ask for names, in a network of the test's own.</summary>
    public const string Resolver = "192.168.77.53";

    public static AppFirewall Of(InstanceId instance, RecordedLog log, NetworkNamespace? network = null, INftables? nft = null) => network is null
        ? new(nft ?? new Nftables(Options.Create(new ContainerOptions { FirewallSocket = "" }), TimeProvider.System), HostSurroundings.Now, instance,
            log.For<AppFirewall>())
        : new(nft ?? new NftablesOf(network), () => new HostPicture([Resolver], network.Make(() => HostSurroundings.Now().Networks)), instance,
            log.For<AppFirewall>());
}

/// <summary>nft in a network namespace. It answers as a child of the daemon would.</summary>
internal sealed class NftablesOf(NetworkNamespace network) : INftables
{
    /// <summary>What every question is answered while it is set.</summary>
    public string? Refusal { get; set; }

    public async Task<NftAnswer> RunAsync(string commands, CancellationToken cancellationToken)
    {
        if (Refusal is { } refusal) return new NftAnswer(false, refusal);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, commands, cancellationToken);
            return new NftAnswer(true, (await network.RunAsync("nft", ["--json", "--file", file], cancellationToken)).Trim());
        }
        catch (InvalidOperationException e)
        {
            return new NftAnswer(false, e.Message);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
