using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>The proxies whose word for a client's address is taken (<c>Ingress:ProxyProtocol:TrustedSources</c>).</summary>
internal sealed class TrustedProxies(IOptions<IngressOptions> options)
{
    private readonly ImmutableArray<IPNetwork> _sources = [.. options.Value.ProxyProtocol.TrustedSources.Select(ProxyProtocolOptions.ParseSource)
        .OfType<IPNetwork>()];

    public bool Contains(EndPoint? peer)
    {
        if (_sources.IsEmpty || peer is not IPEndPoint { Address: var address }) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _sources.Any(s => s.Contains(plain));
    }
}
