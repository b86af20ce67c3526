using System.Collections.Immutable;
using Piccolo.Core.Certificates;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Routing;

namespace Piccolo.Core.Remote;

/// <summary>
/// Everything that follows from the owner's wishes for the way in from outside: where each public name leads, which names the relay learns, which
/// certificates the device wants. Built anew at every change; nothing else edits any of the three.
/// </summary>
public sealed record RemotePlan(ImmutableArray<Route> Routes, ImmutableSortedSet<string> Hostnames, ImmutableArray<WantedCertificate> Certificates)
{
    public const string PortalCertificateId = "portal";

    public static readonly RemotePlan Empty = new([], [], []);

    /// <param name="settings">Null when remote access is not configured.</param>
    /// <param name="roleOf">This node's role for an app.</param>
    public static RemotePlan Build(RemoteSettings? settings, IEnumerable<PublishedListener> listeners, Func<string, Role> roleOf)
    {
        if (settings is not { Enabled: true }) return Empty;
        var portal = new Route.Portal(settings.PortalName);
        var apps = listeners
            .Select(listener => ToRoute(listener, HostOf(settings, listener), roleOf(listener.App)))
            // The portal's name is refused at install; settings that change later must not hand it to an app either.
            .Where(route => route.Host != portal.Host);
        ImmutableArray<Route> routes = [portal, .. apps];
        return new RemotePlan(routes, [.. routes.Select(r => r.Host.Value)], [.. routes.Where(EndsTlsHere).Select(ToCertificate)]);
    }

    /// <summary>The public name of a listener: one label below the domain.</summary>
    public static DomainName HostOf(RemoteSettings settings, PublishedListener listener) => settings.DomainName.Prepend(listener.Name);

    private static Route ToRoute(PublishedListener listener, DomainName host, Role role) =>
        role.IsLeader ? new Route.App(host, listener) : new Route.Leader(host, listener, role.LeaderOrigin);

    /// <summary>A passed-through listener brings its own certificate; for an app that another node leads, that node orders.</summary>
    private static bool EndsTlsHere(Route route) => route is Route.Portal or Route.App { Listener.Definition.Flow: ListenerFlow.Tcp };

    private static WantedCertificate ToCertificate(Route route) =>
        new(route is Route.Portal ? PortalCertificateId : "host:" + route.Host.Value, [route.Host]);
}
