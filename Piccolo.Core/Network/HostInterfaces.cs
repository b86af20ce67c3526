using System.Collections.Immutable;
using System.Net.NetworkInformation;

namespace Piccolo.Core.Network;

/// <summary>
/// Reads the interfaces of this host: the only place that does. The runtime's own call throws when a link vanishes while it reads (dotnet/runtime#49515),
/// which happens whenever a container stops.
/// </summary>
public static class HostInterfaces
{
    private const int Attempts = 5;

    /// <param name="interfaces">What was read; empty when nothing could be read.</param>
    /// <param name="reason">Why not, null when it could.</param>
    /// <returns>False when each of five attempts in a row failed. Never throws for what the host's interfaces do.</returns>
    public static bool TryRead(out ImmutableArray<HostInterface> interfaces, out string? reason) => TryRead(ReadOnce, out interfaces, out reason);

    internal static bool TryRead(Func<ImmutableArray<HostInterface>> read, out ImmutableArray<HostInterface> interfaces, out string? reason)
    {
        reason = null;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                interfaces = read();
                reason = null;
                return true;
            }
            catch (Exception e) when (e is NetworkInformationException or ArgumentException or IOException or UnauthorizedAccessException or FormatException)
            {
                // ArgumentException is a link that went between the kernel's list and the question about it; the others are /proc and /sys.
                reason = $"{e.GetType().Name}: {e.Message}";
            }
        }
        interfaces = [];
        return false;
    }

#pragma warning disable RS0030 // the one place that reads interfaces
    private static ImmutableArray<HostInterface> ReadOnce() => [.. NetworkInterface.GetAllNetworkInterfaces().Select(Describe)];
#pragma warning restore RS0030

    private static HostInterface Describe(NetworkInterface nic)
    {
        var properties = nic.GetIPProperties();
        return new HostInterface(
            nic.Name, IndexOf(nic, properties),
            nic.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown,
            nic.NetworkInterfaceType == NetworkInterfaceType.Loopback,
            [.. properties.UnicastAddresses.Select(a => new InterfaceAddress(a.Address, a.PrefixLength))],
            [.. properties.GatewayAddresses.Select(g => g.Address)])
        {
            IsContainerBridge = LinkFolder.OfThisHost.IsContainerBridge(nic.Name),
        };
    }

    private static int IndexOf(NetworkInterface nic, IPInterfaceProperties properties) =>
        nic.Supports(NetworkInterfaceComponent.IPv6) ? properties.GetIPv6Properties().Index
        : nic.Supports(NetworkInterfaceComponent.IPv4) ? properties.GetIPv4Properties().Index : -1;
}
