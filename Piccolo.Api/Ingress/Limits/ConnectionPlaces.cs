using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress.Limits;

/// <summary>A place among the open connections.</summary>
/// <param name="ReservedAt">80 or 443 for one of those that are reserved there; else 0.</param>
internal readonly record struct ConnectionPlace(int ReservedAt);

/// <summary>
/// Bounds how many connections are open on all endpoints together, those whose ClientHello is awaited included. The last places are for the owner: for this
/// machine
/// and its LAN, half of them at each of our own two ports. Thread-safe.
/// </summary>
internal sealed class ConnectionPlaces(IngressMetrics metrics, IOptions<IngressOptions> options)
{
    private int _reservedForHttp;
    private int _reservedForHttps;

    /// <param name="ownPort">80 or 443 for our own two ports, else 0.</param>
    /// <returns>False when there is none; then nothing is to be given back.</returns>
    public bool TryEnter(IConnectionOriginFeature origin, int ownPort, out ConnectionPlace place)
    {
        place = default;
        var limits = options.Value;
        if (metrics.TryBeginConnection(limits.UnreservedConnections)) return true;
        if (ownPort == 0 || origin.Origin is not (ConnectionOrigin.Loopback or ConnectionOrigin.Lan)) return false;
        place = new ConnectionPlace(ownPort);
        ref var reserved = ref ReservedAt(ownPort);
        var half = (limits.MaxConnections - limits.UnreservedConnections + (ownPort == ListenerDefinition.HttpPort ? 1 : 0)) / 2;
        if (Interlocked.Increment(ref reserved) <= half && metrics.TryBeginConnection(limits.MaxConnections)) return true;
        Interlocked.Decrement(ref reserved);
        return false;
    }

    public void Leave(ConnectionPlace place)
    {
        metrics.EndConnection();
        if (place.ReservedAt != 0) Interlocked.Decrement(ref ReservedAt(place.ReservedAt));
    }

    private ref int ReservedAt(int port) => ref port == ListenerDefinition.HttpPort ? ref _reservedForHttp : ref _reservedForHttps;
}
