using Piccolo.Core.Listeners;

namespace Piccolo.Core.Routing;

/// <summary>Why a connection is not let in.</summary>
public enum RefusalReason
{
    /// <summary>No server name, or one that is not in the table.</summary>
    UnknownName,

    /// <summary>The name does not answer at this port.</summary>
    PortNotServed,

    /// <summary>Clear text on a TLS port, or TLS on port 80.</summary>
    WrongProtocol,

    /// <summary>Another node leads, and which is not known.</summary>
    LeaderUnknown,
}

/// <summary>What to do with a connection, decided from its first bytes.</summary>
public abstract record RouteDecision
{
    /// <summary>Hand the bytes, this ClientHello included, to the app's guard port untouched.</summary>
    public sealed record PassThrough(PublishedListener Listener) : RouteDecision;

    /// <summary>Hand the bytes, untouched, to the node that leads the app.</summary>
    public sealed record ToLeader(Uri LeaderOrigin) : RouteDecision;

    /// <summary>End TLS here with the certificate of the name, then serve the route.</summary>
    public sealed record Terminate(Route Route) : RouteDecision;

    public sealed record Refuse(RefusalReason Reason) : RouteDecision;
}

/// <summary>The decision over TLS connections, as a pure function of the table (flow × protocol × port: ADR 0004).</summary>
public static class Router
{
    /// <param name="serverName">The SNI of the ClientHello.</param>
    /// <param name="port">The public port at which the client connected.</param>
    public static RouteDecision DecideTls(RouteTable table, string? serverName, int port)
    {
        if (serverName is null || table.Find(serverName) is not { } route) return new RouteDecision.Refuse(RefusalReason.UnknownName);
        if (port == ListenerDefinition.HttpPort) return new RouteDecision.Refuse(RefusalReason.WrongProtocol);
        if (!route.Ports.Contains(port)) return new RouteDecision.Refuse(RefusalReason.PortNotServed);
        return route switch
        {
            Route.Leader { LeaderOrigin: { } origin } => new RouteDecision.ToLeader(origin),
            Route.Leader => new RouteDecision.Refuse(RefusalReason.LeaderUnknown),
            Route.App { Listener.Definition.Flow: ListenerFlow.Tls } app => new RouteDecision.PassThrough(app.Listener),
            _ => new RouteDecision.Terminate(route),
        };
    }
}
