using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using Microsoft.Extensions.Options;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress;

/// <summary>
/// Tells the origin of a connection from its peer's address: the only place that compares addresses. Follows the host's interfaces as they change.
/// Thread-safe.
/// </summary>
internal sealed class OriginClassifier : IDisposable
{
    private readonly ImmutableArray<IPNetwork> _allowed;
    private readonly Func<NetworkMap> _read;
    private readonly ILogger<OriginClassifier> _logger;
    private NetworkMap _map;

    public OriginClassifier(IOptions<IngressOptions> options, ILogger<OriginClassifier> logger) : this(options, logger, NetworkMap.OfThisHost)
    {
    }

    internal OriginClassifier(IOptions<IngressOptions> options, ILogger<OriginClassifier> logger, Func<NetworkMap> read)
    {
        _allowed = [.. options.Value.AllowedNetworks.Select(IPNetwork.Parse)];
        _read = read;
        _logger = logger;
        _map = read();
        NetworkChange.NetworkAddressChanged += OnAddressChanged;
    }

    /// <summary>The addresses of this host, for the host allow-list.</summary>
    public bool IsOwn(IPAddress address) => Volatile.Read(ref _map).IsOwn(Unmap(address));

    /// <param name="remote">The peer as the socket names it.</param>
    public IConnectionOriginFeature Describe(EndPoint? remote, int publicPort, PublishedListener? lanListener = null)
    {
        // What is not an address (a Unix socket, say) gets the least trust.
        if (remote is not IPEndPoint peer) return new ConnectionOriginFeature(ConnectionOrigin.Forwarded, null, publicPort, lanListener, false);
        var client = new IPEndPoint(Unmap(peer.Address), peer.Port);
        var origin = Volatile.Read(ref _map).Classify(client.Address);
        return new ConnectionOriginFeature(origin, client, publicPort, lanListener, Admits(origin, client.Address));
    }

    /// <summary>A client behind a trusted proxy. The proxy's word can only lower trust: nobody comes nearer by it than the proxy itself is.</summary>
    /// <param name="proxy">The connection of the proxy.</param>
    /// <param name="client">Who it says the client is; null when it does not know.</param>
    public IConnectionOriginFeature DescribeBehind(IConnectionOriginFeature proxy, IPEndPoint? client)
    {
        var said = Describe(client, proxy.PublicPort);
        // Of this machine and of its containers a proxy knows no more than the socket did.
        if (said is { Origin: ConnectionOrigin.Loopback or ConnectionOrigin.Container }) said = Describe(null, proxy.PublicPort);
        var isNear = said.Origin == ConnectionOrigin.Lan && proxy.Origin is ConnectionOrigin.Loopback or ConnectionOrigin.Lan;
        var origin = proxy.Origin == ConnectionOrigin.Container ? ConnectionOrigin.Container : isNear ? ConnectionOrigin.Lan : ConnectionOrigin.Forwarded;
        return new ConnectionOriginFeature(origin, said.ClientEndPoint, proxy.PublicPort, null, said.IsAdmitted && proxy.IsAdmitted);
    }

    public void Dispose() => NetworkChange.NetworkAddressChanged -= OnAddressChanged;

    internal static bool IsLoopback(IPAddress address)
    {
#pragma warning disable RS0030 // the one place where an address becomes an origin
        return IPAddress.IsLoopback(address);
#pragma warning restore RS0030
    }

    internal void Refresh() => Volatile.Write(ref _map, _read());

    private static IPAddress Unmap(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private bool Admits(ConnectionOrigin origin, IPAddress address)
    {
        if (origin == ConnectionOrigin.Loopback) return true;
        return _allowed.IsEmpty ? origin == ConnectionOrigin.Lan : _allowed.Any(n => n.Contains(address));
    }

    private void OnAddressChanged(object? sender, EventArgs e)
    {
        try
        {
            Refresh();
        }
        catch (NetworkInformationException failure)
        {
            // The last picture stays: an address that is new to it counts as forwarded, the less trusted way.
            _logger.InterfacesUnreadable(failure.Message);
        }
    }
}
