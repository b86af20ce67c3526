using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>The proxies whose word for a client's address is taken (<c>Ingress:ProxyProtocol:TrustedSources</c>).</summary>
internal sealed class TrustedProxies(IOptions<IngressOptions> options)
{
    private readonly ImmutableArray<IPNetwork> _sources = [.. options.Value.ProxyProtocol.TrustedSources.Select(ParseSource).OfType<IPNetwork>()];

    public bool Contains(EndPoint? peer)
    {
        if (_sources.IsEmpty || peer is not IPEndPoint { Address: var address }) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _sources.Any(s => s.Contains(plain));
    }

    /// <summary>A network, or an address as the network of its own; null for anything else.</summary>
    public static IPNetwork? ParseSource(string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        return IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8) : null;
    }
}
