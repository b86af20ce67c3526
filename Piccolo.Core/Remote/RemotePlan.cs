using System.Collections.Immutable;
using Piccolo.Core.Certificates;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Aliases;
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
    /// <param name="aliases">More names; those that are not verified yet are left out.</param>
    public static RemotePlan Build(RemoteSettings? settings, IReadOnlyCollection<PublishedListener> listeners, Func<string, Role> roleOf, IEnumerable<RemoteAlias>? aliases = null)
    {
        if (settings is not { Enabled: true }) return Empty;
        var portal = new Route.Portal(settings.PortalName);
        var apps = listeners
            .Select(listener => ToRoute(listener, HostOf(settings, listener), roleOf(listener.App)))
            // The portal's name is refused at install; settings that change later must not hand it to an app either.
            .Where(route => route.Host != portal.Host);
        ImmutableArray<Route> own = [portal, .. apps];
        var taken = own.Select(r => r.Host).ToHashSet();
        // A listener that came later has its own name before an alias may have it.
        ImmutableArray<Route> others = [.. (aliases ?? []).Where(a => a.IsVerified && !taken.Contains(a.Name)).Select(a => ToRoute(a, listeners, roleOf)).OfType<Route>()];
        return new RemotePlan(
            [.. own, .. others], [.. own.Concat(others).Select(r => r.Host.Value)],
            [.. own.Where(EndsTlsHere).Select(ToCertificate), .. others.Where(EndsTlsHere).Select(r => new WantedCertificate(RemoteAlias.IdOf(r.Host), [r.Host]))]);
    }

    /// <returns>Null while the listener that the alias is for is not there.</returns>
    private static Route? ToRoute(RemoteAlias alias, IEnumerable<PublishedListener> listeners, Func<string, Role> roleOf) =>
        alias.Listener == RemoteAlias.Portal ? new Route.Portal(alias.Name)
        : listeners.FirstOrDefault(l => l.Name == alias.Listener) is { } listener ? ToRoute(listener, alias.Name, roleOf(listener.App))
        : null;

    /// <summary>The public name of a listener: one label below the domain.</summary>
    public static DomainName HostOf(RemoteSettings settings, PublishedListener listener) => settings.DomainName.Prepend(listener.Name);

    private static Route ToRoute(PublishedListener listener, DomainName host, Role role) =>
        role.IsLeader ? new Route.App(host, listener) : new Route.Leader(host, listener, role.LeaderOrigin);

    /// <summary>A passed-through listener brings its own certificate; for an app that another node leads, that node orders.</summary>
    private static bool EndsTlsHere(Route route) => route is Route.Portal or Route.App { Listener.Definition.Flow: ListenerFlow.Tcp };

    private static WantedCertificate ToCertificate(Route route) =>
        new(route is Route.Portal ? PortalCertificateId : "host:" + route.Host.Value, [route.Host]);
}
