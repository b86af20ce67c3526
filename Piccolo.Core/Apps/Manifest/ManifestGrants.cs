using System.Collections.Immutable;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>Something beyond what every app has, for which a service asks.</summary>
/// <param name="Permission">As it stands below <c>permissions</c>, such as <c>network.internet</c> or <c>capabilities.NET_RAW</c>.</param>
/// <param name="Meaning">One plain sentence.</param>
public sealed record AppGrant(string Service, string Permission, GrantTier Tier, string Meaning);

/// <summary>What an owner grants by installing a manifest.</summary>
public static class ManifestGrants
{
    private static readonly ImmutableDictionary<string, string> Meanings = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AUDIT_WRITE"] = "It writes to the audit log of the kernel.",
        ["FSETID"] = "It keeps set-user bits when it changes files of its own.",
        ["MKNOD"] = "It makes device files inside its container.",
        ["NET_RAW"] = "It sends packets of any kind into its app's network, also with addresses of the app's other services.",
        ["SETFCAP"] = "It gives capabilities to programs of its container.",
        ["SETPCAP"] = "It changes which capabilities its processes have.",
        ["SYS_CHROOT"] = "It gives its processes another root folder.",
        ["SYS_NICE"] = "It takes precedence over other processes of the device.",
        ["DAC_READ_SEARCH"] = "It reads every file that is in its container, whatever the file's mode, and files of the device's file systems by their number.",
        ["IPC_LOCK"] = "It keeps memory from being swapped out.",
        ["NET_ADMIN"] = "It changes addresses, routes and the firewall of its own container.",
        ["PERFMON"] = "It watches the performance of the whole device.",
        ["SYS_PTRACE"] = "It looks into and changes other processes of its container.",
        ["SYS_RESOURCE"] = "It exceeds limits of memory, files and processes.",
    }.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>In the order of the services; within one, the weightiest last.</summary>
    public static ImmutableArray<AppGrant> Of(AppManifest app) => [.. app.Services.SelectMany(s => Of(s).OrderBy(g => g.Tier))];

    private static IEnumerable<AppGrant> Of(ServiceManifest service)
    {
        if (service.Network.Internet) yield return Grant("network.internet", GrantTier.Shown, "It reaches the internet.");
        if (service.Network.LocalNetwork) yield return Grant("network.local_network", GrantTier.Serious, "It reaches the other devices of your network.");
        if (service.Network is { Dns: true, Internet: false, LocalNetwork: false })
            yield return Grant("network.dns", GrantTier.Shown, "It asks for names; what it asks for can carry data to the internet.");
        foreach (var name in service.Capabilities ?? [])
            if (Meanings.TryGetValue(name, out var meaning)) yield return Grant($"capabilities.{name}", Capabilities.TierOf(name), meaning);
        if (service.HasNewPrivileges)
            yield return Grant("new_privileges", GrantTier.Serious, "Programs such as sudo may get more than whoever runs them has.");
        if (service.Sysctls.Count > 0)
            yield return Grant("sysctls", GrantTier.Shown, $"It runs with kernel settings of its own: {string.Join(", ", service.Sysctls.Keys)}.");

        AppGrant Grant(string permission, GrantTier tier, string meaning) => new(service.Name, permission, tier, meaning);
    }
}
