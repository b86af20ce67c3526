using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress;

/// <param name="Address">What it counts as among the connections; null when it is not counted there.</param>
internal readonly record struct HelloPlace(ConnectionPlace Open, IPAddress? Address, ClientQuota.Place Peek);

/// <summary>
/// Who may wait at our own TLS port until its ClientHello is whole. It has no connection of the server's yet, but counts as one in every limit. Thread-safe.
/// </summary>
internal sealed class HelloAdmission(
    OriginClassifier classifier, TrustedProxies proxies, ConnectionPlaces places, ConnectionsPerAddress connections, WaitingPeeks waiting, OpenFiles openFiles,
    IngressMetrics metrics, IOptions<IngressOptions> options, ILogger<HelloAdmission> logger)
{
    public IngressOptions Limits => options.Value;

    /// <summary>Whether its first bytes are to be a PROXY header, not a hello.</summary>
    public bool IsProxy(AcceptedClient client) => proxies.Contains(client.RemoteEndPoint);

    /// <summary>Turns a client away for which there is no descriptor to spare.</summary>
    public bool HasRoom(AcceptedClient client) => !openFiles.IsShort(client) || TurnAway(client, "descriptors");

    /// <param name="place">For <see cref="Leave"/>.</param>
    /// <returns>False when it was turned away.</returns>
    public bool TryEnter(AcceptedClient client, out HelloPlace place)
    {
        place = default;
        var origin = OriginOf(client);
        if (!places.TryEnter(client.RemoteEndPoint, ListenerDefinition.HttpsPort, out var open)) return TurnAway(client, "total_limit");
        var key = ConnectionsPerAddress.KeyOf(origin);
        if (key is null || connections.TryEnter(key))
        {
            if (waiting.TryEnter(origin, out var peek))
            {
                place = new HelloPlace(open, key, peek);
                return true;
            }
            if (key is not null) connections.Leave(key);
            places.Leave(open);
            Refuse(client, PeekFailure.Busy);
            return false;
        }
        places.Leave(open);
        return TurnAway(client, "address_limit");
    }

    /// <summary>It waits no longer. If it becomes a connection, that is counted by itself.</summary>
    public void Leave(in HelloPlace place)
    {
        place.Peek.Dispose();
        if (place.Address is not null) connections.Leave(place.Address);
        places.Leave(place.Open);
    }

    /// <summary>Ends a client without a usable hello: regularly, also when it is only too slow.</summary>
    public void Refuse(AcceptedClient client, PeekFailure failure)
    {
        Count(client, failure.ToString());
        if (failure != PeekFailure.Closed) ReceiveQueue.Drop(client);
        client.Dispose();
    }

    private bool TurnAway(AcceptedClient client, string reason)
    {
        Count(client, reason);
        client.Break();
        return false;
    }

    private void Count(AcceptedClient client, string reason)
    {
        metrics.Refused(reason);
        if (!logger.IsEnabled(LogLevel.Debug)) return;
        var origin = OriginOf(client);
        logger.ConnectionRefused(LazySocketConnection.NextId(), reason, null, origin.PublicPort, origin.Origin);
    }

    private IConnectionOriginFeature OriginOf(AcceptedClient client) => classifier.Describe(client.RemoteEndPoint, ListenerDefinition.HttpsPort);
}
