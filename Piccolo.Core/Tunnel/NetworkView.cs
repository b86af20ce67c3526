using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Piccolo.Core.Tunnel;

/// <summary>What of the machine's networks matters to somebody who dials out.</summary>
public interface INetworkView
{
    /// <summary>Raised when anything about the machine's addresses may have changed; often, and also for nothing.</summary>
    event Action Changed;

    /// <summary>The addresses by which this machine reaches the world, as comparable text; empty without any.</summary>
    string Describe();
}

/// <summary>
/// The kernel's word (netlink, by way of <see cref="NetworkChange"/>). Only interfaces with a gateway count: bridges of containers come and go with every app.
/// </summary>
internal sealed class NetworkView : INetworkView, IDisposable
{
    public NetworkView()
    {
        NetworkChange.NetworkAddressChanged += OnAddressChanged;
        NetworkChange.NetworkAvailabilityChanged += OnAvailabilityChanged;
    }

    public event Action? Changed;

    public string Describe() => string.Join(' ', NetworkInterface.GetAllNetworkInterfaces()
        .Where(face => face.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown && face.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .Select(face => face.GetIPProperties())
        .Where(face => face.GatewayAddresses.Count > 0)
        .SelectMany(face => face.UnicastAddresses.Select(a => a.Address).Where(a => !a.IsIPv6LinkLocal).Concat(face.GatewayAddresses.Select(g => g.Address)))
        .Where(address => address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        .Select(address => address.ToString())
        .Order(StringComparer.Ordinal));

    public void Dispose()
    {
        NetworkChange.NetworkAddressChanged -= OnAddressChanged;
        NetworkChange.NetworkAvailabilityChanged -= OnAvailabilityChanged;
    }

    private void OnAddressChanged(object? sender, EventArgs e) => Changed?.Invoke();

    private void OnAvailabilityChanged(object? sender, NetworkAvailabilityEventArgs e) => Changed?.Invoke();
}
