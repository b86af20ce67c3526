using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>
/// Tells the origin of a connection from its peer's address: the only place that compares addresses. <see cref="OriginRefreshLoop"/> keeps it up to date.
/// Until the interfaces could be read once, every peer but loopback counts as forwarded, the least trusted. Thread-safe.
/// </summary>
internal sealed class OriginClassifier
{
    private readonly ImmutableArray<IPNetwork> _allowed;
    private readonly Func<IReadOnlyCollection<IPNetwork>, (NetworkMap? Map, string? Reason)> _read;
    private readonly ILogger<OriginClassifier> _logger;
    private NetworkMap _map = new([]);
    private ImmutableArray<IPNetwork> _ofContainers = [];

    public OriginClassifier(IOptions<IngressOptions> options, ILogger<OriginClassifier> logger)
        : this(options, logger, NetworkMap.OfThisHost)
    {
    }

    /// <param name="read">The networks, or the reason why they cannot be read; given those that the container engine has made.</param>
    internal OriginClassifier(
        IOptions<IngressOptions> options, ILogger<OriginClassifier> logger, Func<IReadOnlyCollection<IPNetwork>, (NetworkMap? Map, string? Reason)> read)
    {
        _allowed = [.. options.Value.AllowedNetworks.Select(IPNetwork.Parse)];
        _read = read;
        _logger = logger;
        Refresh();
    }

    /// <summary>The addresses of this host, for the host allow-list.</summary>
    public bool IsOwn(IPAddress address) => Volatile.Read(ref _map).IsOwn(Unmap(address));

    /// <param name="remote">The peer as the socket names it.</param>
    public IConnectionOriginFeature Classify(EndPoint? remote, int publicPort, PublishedListener? lanListener = null)
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
    public IConnectionOriginFeature ClassifyProxied(IConnectionOriginFeature proxy, IPEndPoint? client)
    {
        var said = Classify(client, proxy.PublicPort);
        // Of this machine and of its containers a proxy knows no more than the socket did.
        if (said is { Origin: ConnectionOrigin.Loopback or ConnectionOrigin.Container }) said = Classify(null, proxy.PublicPort);
        var isNear = said.Origin == ConnectionOrigin.Lan && proxy.Origin is ConnectionOrigin.Loopback or ConnectionOrigin.Lan;
        var origin = proxy.Origin == ConnectionOrigin.Container ? ConnectionOrigin.Container : isNear ? ConnectionOrigin.Lan : ConnectionOrigin.Forwarded;
        return new ConnectionOriginFeature(origin, said.ClientEndPoint, proxy.PublicPort, null, said.IsAllowedNetwork && proxy.IsAllowedNetwork);
    }

    /// <summary>Reads the interfaces anew.</summary>
    /// <returns>False when they cannot be read; then the last map stays, in which an address that is new counts as forwarded.</returns>
    public bool Refresh()
    {
        var (map, reason) = _read(_ofContainers);
        if (map is not null) Volatile.Write(ref _map, map);
        else _logger.InterfacesUnreadable(reason ?? "no reason given");
        return map is not null;
    }

    /// <summary>Takes what the container engine says, for the next <see cref="Refresh"/>.</summary>
    /// <returns>Whether it is news.</returns>
    public bool Learn(ImmutableArray<IPNetwork> ofContainers)
    {
        if (_ofContainers.SequenceEqual(ofContainers)) return false;
        _ofContainers = ofContainers;
        return true;
    }

    internal static bool IsLoopback(IPAddress address)
    {
#pragma warning disable RS0030 // the one place where an address becomes an origin
        return IPAddress.IsLoopback(address);
#pragma warning restore RS0030
    }

    private static IPAddress Unmap(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private bool Admits(ConnectionOrigin origin, IPAddress address)
    {
        if (origin == ConnectionOrigin.Loopback) return true;
        return _allowed.IsEmpty ? origin == ConnectionOrigin.Lan : _allowed.Any(n => n.Contains(address));
    }
}
