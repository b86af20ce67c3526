using System.Net;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>What is known of a connection before its first byte is read. Present on every connection and, through it, on every request.</summary>
internal interface IConnectionOriginFeature
{
    ConnectionOrigin Origin { get; }

    /// <summary>The true client; null when the relay told none that can be true. For logs, limits and forwarded headers, never for trust.</summary>
    IPEndPoint? ClientEndPoint { get; }

    /// <summary>The public port that the client connected to: the relay's, or 80 and 443 for the device's own ports, whatever their number.</summary>
    int PublicPort { get; }

    /// <summary>For the LAN ports of apps: whose port it is.</summary>
    PublishedListener? LanListener { get; }

    /// <summary>Whether the client's network may reach the portal in clear text and the LAN ports of apps (<c>Ingress:AllowedNetworks</c>).</summary>
    bool IsAllowedNetwork { get; }
}

/// <inheritdoc cref="IConnectionOriginFeature"/>
internal sealed record ConnectionOriginFeature(
    ConnectionOrigin Origin, IPEndPoint? ClientEndPoint, int PublicPort, PublishedListener? LanListener, bool IsAllowedNetwork) : IConnectionOriginFeature;
