using System.Net.Sockets;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel;

/// <summary>What of the machine's networks matters to somebody who dials out.</summary>
public interface INetworkView
{
    /// <summary>Raised when anything about the machine's networks may have changed; often, and also for nothing.</summary>
    ChangeSignal Changed { get; }

    /// <summary>The addresses by which this machine reaches the world, as comparable text; empty without any, null when they cannot be read.</summary>
    string? Describe();
}

/// <summary>Only interfaces with a gateway count: bridges of containers come and go with every app.</summary>
internal sealed class NetworkView(NetworkWatch watch) : INetworkView
{
    public ChangeSignal Changed => watch.Changed;

    public string? Describe() => HostInterfaces.TryRead(out var interfaces, out _) ? Describe(interfaces) : null;

    private static string Describe(IEnumerable<HostInterface> interfaces) => string.Join(' ', interfaces
        .Where(face => face is { IsUp: true, IsLoopback: false, Gateways.IsEmpty: false })
        .SelectMany(face => face.Addresses.Select(a => a.Address).Where(a => !a.IsIPv6LinkLocal).Concat(face.Gateways))
        .Where(address => address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        .Select(address => address.ToString())
        .Order(StringComparer.Ordinal));
}
