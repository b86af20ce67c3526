using System.Net;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>Whence a connection came: the only thing that trust decisions read.</summary>
internal enum ConnectionOrigin
{
    /// <summary>This machine itself.</summary>
    Loopback,

    /// <summary>A directly connected network that is not a container network.</summary>
    Lan,

    /// <summary>Any other network, on our own ports: a router forwards it.</summary>
    Forwarded,

    /// <summary>The relay.</summary>
    Tunnel,

    /// <summary>Another node of the cluster.</summary>
    Node,

    /// <summary>A container on this machine.</summary>
    Container,
}

/// <summary>What is known of a connection before its first byte is read. Present on every connection and, through it, on every request.</summary>
internal interface IConnectionOriginFeature
{
    ConnectionOrigin Origin { get; }

    /// <summary>The true client; null when the relay told none that can be true. For logs, limits and forwarded headers, never for trust.</summary>
    IPEndPoint? ClientEndPoint { get; }

    /// <summary>The port at which the user knocked: the relay's, or 80 and 443 for our own HTTP and HTTPS ports whatever their number.</summary>
    int PublicPort { get; }

    /// <summary>For the LAN ports of apps: whose port it is.</summary>
    PublishedListener? LanListener { get; }

    /// <summary>Whether the client's network may reach the portal in clear text and the LAN ports of apps (<c>Ingress:AllowedNetworks</c>).</summary>
    bool IsAdmitted { get; }

    /// <summary>What the app of the latest request was told of the client; null before the first.</summary>
    ForwardedFields? Forwarded { get; set; }
}

/// <inheritdoc cref="IConnectionOriginFeature"/>
internal sealed record ConnectionOriginFeature(
    ConnectionOrigin Origin, IPEndPoint? ClientEndPoint, int PublicPort, PublishedListener? LanListener, bool IsAdmitted) : IConnectionOriginFeature
{
    /// <inheritdoc/>
    public ForwardedFields? Forwarded { get; set; }
}
