using System.Net;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Origin;

namespace Piccolo.Api.Ingress.Limits;

/// <summary>
/// Whether one more connection may be open: of all together, and of its client. One place for every way into the appliance. Kestrel's own limit counts each
/// endpoint by itself. Thread-safe.
/// </summary>
internal sealed class ConnectionAdmission(
    ConnectionPlaces places, ConnectionsPerAddress connections, IngressMetrics metrics, ILogger<ConnectionAdmission> logger)
{
    /// <param name="ownPort">80 or 443 for our own two ports, else 0.</param>
    /// <returns>What it holds until it is disposed of; null when there is no room, which is counted and logged here.</returns>
    public ConnectionLease? TryEnter(string connectionId, IConnectionOriginFeature origin, int ownPort)
    {
        if (!places.TryEnter(origin, ownPort, out var place)) return Refuse(connectionId, origin, "total_limit");
        var client = ConnectionsPerAddress.KeyOf(origin);
        if (client is null || connections.TryEnter(client)) return new ConnectionLease(this, place, client);
        places.Leave(place);
        return Refuse(connectionId, origin, "address_limit");
    }

    internal void Leave(ConnectionPlace place, IPAddress? client)
    {
        if (client is not null) connections.Leave(client);
        places.Leave(place);
    }

    private ConnectionLease? Refuse(string connectionId, IConnectionOriginFeature origin, string reason)
    {
        metrics.Refused(reason);
        logger.ConnectionRefused(connectionId, reason, null, origin.PublicPort, origin.Origin);
        return null;
    }
}

/// <summary>What an open connection holds of the limits, until it is disposed of.</summary>
/// <param name="client">What it counts as among the connections of one client; null when it is not counted there.</param>
internal sealed class ConnectionLease(ConnectionAdmission admission, ConnectionPlace place, IPAddress? client) : IDisposable
{
    private int _hasLeft;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _hasLeft, 1) == 0) admission.Leave(place, client);
    }
}
