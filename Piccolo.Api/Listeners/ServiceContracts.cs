using Piccolo.Api.Remote;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Listeners;

public enum RouteMode
{
    /// <summary>This node serves it.</summary>
    Local,

    /// <summary>Connections go to the node that leads the app.</summary>
    Tunnel,
}

/// <param name="Leader">The leader's origin; absent when unknown or when this node leads.</param>
public sealed record ServiceRouteResponse(RouteMode Mode, string? Leader);

public enum ServiceState
{
    /// <summary>We listen on the LAN port and the app's container runs; whether it answers has not been seen yet.</summary>
    Listening,

    /// <summary>The LAN port could not be bound.</summary>
    BindFailed,

    /// <summary>The app's container does not run here, or it does not answer.</summary>
    AppDown,

    /// <summary>We listen on the LAN port and the app answered the last probe.</summary>
    Ok,
}

/// <summary>One listener of an installed app, with its ports, public name, route and observed state.</summary>
/// <param name="HostPort">On 127.0.0.1, between us and the container.</param>
/// <param name="PublicPort">On the LAN.</param>
/// <param name="RemoteHost">Null while remote access is off, and where the name would be too long.</param>
/// <param name="Reach">How the name was last found from outside; null while remote access is off.</param>
public sealed record ServiceResponse(
    string App,
    string Name,
    int GuestPort,
    int HostPort,
    int PublicPort,
    IReadOnlyList<int> RemotePorts,
    string? RemoteHost,
    ListenerFlow Flow,
    ListenerProtocol Protocol,
    string Scheme,
    ServiceRouteResponse Route,
    ServiceState State,
    string? StateReason,
    DateTimeOffset? Since,
    NameReachResponse? Reach);

public sealed record ServicesResponse(IReadOnlyList<ServiceResponse> Services);
