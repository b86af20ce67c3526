using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Piccolo.Core.Containers.Firewall;

/// <summary>A container of ours, its address and what its service may reach.</summary>
internal readonly record struct ServiceRights(string Address, NetworkRights Rights);

/// <summary>
/// Brings the sets of the table <c>inet piccolo_apps</c> to what the services may reach. It reads before it writes, so that a table that was loaded anew gets
/// its elements back, and that nothing is written where nothing changed. Used by one caller at a time.
/// </summary>
internal sealed class AppFirewall(INftables nft, Func<HostPicture> host, InstanceId instance, ILogger<AppFirewall> logger)
{
    private const int MaxLoggedChars = 512;

    private ContainerFault? _fault;

    /// <summary>Why what the services may reach was not brought about the last time; null = it was.</summary>
    public ContainerFault? Fault => Volatile.Read(ref _fault);

    /// <param name="services">All containers of ours, those without rights too.</param>
    public async Task<ContainerFault?> BringAboutAsync(IReadOnlyCollection<ServiceRights> services, CancellationToken cancellationToken)
    {
        var (fault, reason) = await WriteAsync(services, cancellationToken);
        if (fault?.Kind != _fault?.Kind)
        {
            if (fault is null) logger.FirewallKept();
            else logger.FirewallNotKept(fault.Kind, reason.Length <= MaxLoggedChars ? reason : reason[..MaxLoggedChars]);
        }
        Volatile.Write(ref _fault, fault);
        return fault;
    }

    private async Task<(ContainerFault? Fault, string Reason)> WriteAsync(IReadOnlyCollection<ServiceRights> services, CancellationToken cancellationToken)
    {
        var listed = await nft.RunAsync(NftJson.List, cancellationToken);
        if (!listed.IsDone)
            return (listed.Text.Contains("No such file or directory", StringComparison.Ordinal) ? EngineErrors.NoFirewall : EngineErrors.FirewallSilent,
                listed.Text);
        try
        {
            if (NftJson.Read(listed.Text) is not { } found) return (EngineErrors.NoFirewall, "a set is missing");
            var change = FirewallChange.Between(found, Wanted(services, found), instance.Prefix, services.Select(s => s.Address).ToHashSet());
            if (change.IsNothing) return (null, "");
            var written = await nft.RunAsync(NftJson.Write(change), cancellationToken);
            if (!written.IsDone) return (EngineErrors.FirewallSilent, written.Text);
            logger.RightsWritten(change.Add.Length, change.Remove.Length);
            return (null, "");
        }
        catch (JsonException e)
        {
            return (EngineErrors.FirewallSilent, e.Message);
        }
    }

    private List<FirewallElement> Wanted(IEnumerable<ServiceRights> services, ImmutableArray<FirewallElement> found)
    {
        var (resolvers, networks) = host();
        return
        [
            .. services.SelectMany(s => s.Rights.Words.Select(right => new FirewallElement(right, s.Address, instance.Prefix))),
            .. resolvers.Select(r => new FirewallElement(FirewallSets.Resolvers, r)),
            // What cannot be read now stays as it was.
            .. networks?.Attached.Select(n => new FirewallElement(FirewallSets.Attached, n)) ?? found.Where(f => f.Set == FirewallSets.Attached),
            .. networks?.Containers.Select(n => new FirewallElement(FirewallSets.Containers, n)) ?? found.Where(f => f.Set == FirewallSets.Containers),
        ];
    }
}
