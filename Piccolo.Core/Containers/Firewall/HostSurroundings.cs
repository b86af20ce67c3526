using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Network;

namespace Piccolo.Core.Containers.Firewall;

/// <summary>What the rules have to know of this host, in IPv4 only, as the apps' networks are.</summary>
/// <param name="Resolvers">Whom new containers are told to ask for names.</param>
/// <param name="Networks">Null where they cannot be read now.</param>
internal sealed record HostPicture(ImmutableArray<string> Resolvers, HostNetworks? Networks);

/// <summary>The networks of the host's interfaces, within each list none inside another.</summary>
/// <param name="Containers">Of containers that are not apps'.</param>
/// <param name="Attached">All others but those of apps.</param>
internal sealed record HostNetworks(ImmutableArray<string> Attached, ImmutableArray<string> Containers);

/// <summary>Looks at this host.</summary>
internal static class HostSurroundings
{
    /// <summary>The beginning of the names of the apps' own bridges.</summary>
    private const string AppBridges = "picapp";
    private const string ResolvConf = "/etc/resolv.conf";
    private const string ResolvConfBehindTheStub = "/run/systemd/resolve/resolv.conf";
    private const string Stub = "127.0.0.53";
    private const int MaxServers = 16;

    /// <summary>What the engine gives where a host has only servers of its own loopback.</summary>
    private static readonly ImmutableArray<string> ServersOfTheEngine = ["8.8.8.8", "8.8.4.4"];

    public static HostPicture Now() => new(Resolvers(Read), HostInterfaces.TryRead(out var interfaces, out _) ? Networks(interfaces) : null);

    /// <summary>As the engine writes them into a new container.</summary>
    /// <param name="read">The lines of a file; none where there is no such file.</param>
    public static ImmutableArray<string> Resolvers(Func<string, IEnumerable<string>> read)
    {
        var servers = Servers(read(ResolvConf));
        if (servers is [Stub]) servers = Servers(read(ResolvConfBehindTheStub));
        ImmutableArray<string> usable =
        [
            .. servers.Where(s => IPAddress.TryParse(s, out var a) && a.AddressFamily == AddressFamily.InterNetwork && !IsOwn(a)).Distinct(),
        ];
        // Where there is one of IPv6 the engine adds none of its own.
        return usable.IsEmpty && !servers.Any(s => IPAddress.TryParse(s, out var a) && !IsOwn(a)) ? ServersOfTheEngine : usable;
    }

    public static HostNetworks Networks(ImmutableArray<HostInterface> interfaces)
    {
        var links = interfaces.Where(i => i is { IsUp: true, IsLoopback: false } && !i.Name.StartsWith(AppBridges, StringComparison.Ordinal)).ToLookup(
            i => i.IsContainerBridge);
        return new HostNetworks(Networks(links[false]), Networks(links[true]));
    }

    private static ImmutableArray<string> Networks(IEnumerable<HostInterface> interfaces)
    {
        var networks = interfaces
            .SelectMany(i => i.Addresses).Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork && a.PrefixLength is > 0 and <= 32)
            .Select(a => new IPNetwork(Begin(a.Address, a.PrefixLength), a.PrefixLength)).Distinct().ToList();
        return
        [
            .. networks.Where(n => !networks.Any(o => o.PrefixLength < n.PrefixLength && o.Contains(n.BaseAddress)))
                .Select(n => n.PrefixLength == 32 ? n.BaseAddress.ToString() : n.ToString()).Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>What stands for the host itself on the host means the container in a container.</summary>
    private static bool IsOwn(IPAddress address) => address.GetAddressBytes() is [127, _, _, _] || address.Equals(IPAddress.IPv6Loopback);

    private static List<string> Servers(IEnumerable<string> lines) =>
    [
        .. lines.Select(line => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words is ["nameserver", _, ..]).Select(words => words[1]).Take(MaxServers),
    ];

    private static IEnumerable<string> Read(string file)
    {
        const int enough = 1000;
        try
        {
            return [.. File.ReadLines(file).Take(enough)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IPAddress Begin(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < 8 * bytes.Length; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }
}
