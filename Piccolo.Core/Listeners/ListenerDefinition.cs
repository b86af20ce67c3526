using System.Collections.Immutable;

namespace Piccolo.Core.Listeners;

/// <summary>Where TLS ends: <c>tcp</c> on this device, <c>tls</c> in the app (passed through untouched).</summary>
public enum ListenerFlow
{
    Tcp,
    Tls,
}

/// <summary>What the app speaks behind the TLS that we end.</summary>
public enum ListenerProtocol
{
    Raw,
    Http,
    Websocket,
    Grpc,
}

/// <summary>How an app is told who the client is when its bytes are not read on the way.</summary>
public enum ClientHeader
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>By a PROXY protocol header of version 2 before the first byte.</summary>
    ProxyV2,
}

/// <summary>A listener as an app's manifest declares it.</summary>
/// <param name="Name">A DNS label, unique on the appliance: the remote host is <c>&lt;name&gt;.&lt;domain&gt;</c>.</param>
/// <param name="GuestPort">The port inside the container.</param>
/// <param name="RemotePorts">The relay's public ports at which it answers; 80 and 443 unless declared.</param>
public sealed record ListenerDefinition(string Name, int GuestPort, ListenerFlow Flow, ListenerProtocol Protocol, ImmutableArray<int> RemotePorts)
{
    public const int HttpPort = 80;
    public const int HttpsPort = 443;

    public static readonly ImmutableArray<int> DefaultRemotePorts = [HttpPort, HttpsPort];

    /// <summary>The app's service that it leads to; null = the only one.</summary>
    public string? Service { get; init; }

    /// <summary>Only where bytes are spliced: elsewhere forwarded headers tell.</summary>
    public ClientHeader ClientHeader { get; init; }

    /// <summary>For how long browsers are to insist on https for the public name, in seconds; null = it is not asked of them.</summary>
    public int? HstsMaxAge { get; init; }

    /// <summary>What is asked of the app to see whether it works; null = whether it accepts connections is enough.</summary>
    public string? HealthPath { get; init; }

    /// <summary>Whether requests, and not just bytes, go to the app.</summary>
    public bool IsHttp => Flow == ListenerFlow.Tcp && Protocol != ListenerProtocol.Raw;

    // An immutable array compares by identity; the ports that it holds are what counts.
    public bool Equals(ListenerDefinition? other) => other is not null && Name == other.Name && Service == other.Service
        && GuestPort == other.GuestPort && Flow == other.Flow
        && Protocol == other.Protocol && ClientHeader == other.ClientHeader && HstsMaxAge == other.HstsMaxAge && HealthPath == other.HealthPath
        && RemotePorts.AsSpan().SequenceEqual(other.RemotePorts.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, GuestPort, Flow, Protocol, RemotePorts.Length);
}

/// <summary>A listener of an installed app with the two ports that it keeps for life.</summary>
/// <param name="GuardPort">Where the container is published, on 127.0.0.1 only.</param>
/// <param name="PublicPort">Where we answer on the LAN.</param>
public sealed record PublishedListener(string App, ListenerDefinition Definition, int GuardPort, int PublicPort)
{
    public string Name => Definition.Name;
}
