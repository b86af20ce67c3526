using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Limits;

/// <summary>Counts open connections by client, so that one cannot take all. Thread-safe.</summary>
internal sealed class ConnectionsPerAddress(IOptions<IngressOptions> options)
{
    private readonly AddressCounts _open = new();

    /// <inheritdoc cref="AddressCounts.Clients"/>
    public int Clients => _open.Clients;

    /// <summary>This machine's own connections and those of unknown clients are not counted: null.</summary>
    public static IPAddress? KeyOf(IConnectionOriginFeature origin) =>
        origin.Origin == ConnectionOrigin.Loopback || origin.ClientEndPoint?.Address is not { } address ? null : SubscriberAddress.Of(address);

    /// <inheritdoc cref="AddressCounts.TryEnter"/>
    public bool TryEnter(IPAddress client) => _open.TryEnter(client, options.Value.MaxConnectionsPerAddress);

    public void Leave(IPAddress client) => _open.Leave(client);
}
