using System.Collections.Immutable;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Routing;

namespace Piccolo.Core.Remote;

/// <summary>
/// Everything that follows from the owner's wishes for the way in from outside: where each public name leads, which names the relay learns, which
/// certificates the device wants. Rebuilt at every change; nothing else edits any of the three.
/// </summary>
public sealed record RemotePlan(ImmutableArray<Route> Routes, ImmutableSortedSet<string> Hostnames, ImmutableArray<WantedCertificate> Certificates)
{
    public const string PortalCertificateId = "portal";

    public static readonly RemotePlan Empty = new([], [], []);

    /// <summary>What could not become part of the plan, one sentence each; everything else is in force.</summary>
    public ImmutableArray<string> LeftOut { get; init; } = [];

    /// <param name="settings">Null when remote access is not configured.</param>
    /// <param name="roleOf">This node's role for an app.</param>
    /// <param name="aliases">More names; those that are not verified yet are left out.</param>
    public static RemotePlan Build(
        RemoteSettings? settings, IReadOnlyCollection<PublishedListener> listeners, Func<string, Role> roleOf, IEnumerable<RemoteAlias>? aliases = null)
    {
        if (settings is not { Enabled: true }) return Empty;
        var portal = new Route.Portal(settings.PortalName);
        var leftOut = ImmutableArray.CreateBuilder<string>();
        var apps = new List<Route>();
        foreach (var listener in listeners)
        {
            if (HostOf(settings, listener) is not { } host)
            {
                leftOut.Add(
                    $"The listener {listener.Name} has no public name: below {settings.Domain} it would be longer than {DomainName.MaxLength} characters.");
            }
            // The portal's name is refused at install; settings that change later must not hand it to an app either.
            else if (host == portal.Host) leftOut.Add($"The listener {listener.Name} has no public name: {host} is the portal's.");
            else apps.Add(ToRoute(listener, host, roleOf(listener.App)));
        }
        ImmutableArray<Route> own = [portal, .. apps];
        var taken = own.Select(r => r.Host).ToHashSet();
        // A listener that came later has its own name before an alias may have it.
        ImmutableArray<Route> others =
            [.. (aliases ?? []).Where(a => a.IsVerified && !taken.Contains(a.Name)).Select(a => ToRoute(a, listeners, roleOf)).OfType<Route>()];
        ImmutableArray<WantedCertificate> wanted =
        [
            .. own.Where(EndsTlsHere).Select(ToCertificate),
            .. others.Where(EndsTlsHere).Select(r => new WantedCertificate(RemoteAlias.IdOf(r.Host), [r.Host])),
        ];
        if (wanted.Length > RenewalScheduler.MaxWanted)
            leftOut.Add($"{wanted.Length - RenewalScheduler.MaxWanted} names get no certificate: the appliance keeps {RenewalScheduler.MaxWanted}.");
        return new RemotePlan(
            [.. own, .. others], [.. own.Concat(others).Select(r => r.Host.Value)],
            [.. wanted.Take(RenewalScheduler.MaxWanted)])
        { LeftOut = leftOut.ToImmutable() };
    }

    /// <returns>Null while the listener that the alias is for is not there.</returns>
    private static Route? ToRoute(RemoteAlias alias, IEnumerable<PublishedListener> listeners, Func<string, Role> roleOf) =>
        alias.Listener == RemoteAlias.Portal ? new Route.Portal(alias.Name)
        : listeners.FirstOrDefault(l => l.Name == alias.Listener) is { } listener ? ToRoute(listener, alias.Name, roleOf(listener.App))
        : null;

    /// <summary>The public name of a listener: one label below the domain. Null where that would be longer than a name may be.</summary>
    public static DomainName? HostOf(RemoteSettings settings, PublishedListener listener) => settings.DomainName.TryPrepend(listener.Name);

    private static Route ToRoute(PublishedListener listener, DomainName host, Role role) =>
        role.IsLeader ? new Route.App(host, listener) : new Route.Leader(host, listener, role.LeaderOrigin);

    /// <summary>A passed-through listener brings its own certificate; for an app that another node leads, that node orders.</summary>
    private static bool EndsTlsHere(Route route) => route is Route.Portal or Route.App { Listener.Definition.Flow: ListenerFlow.Tcp };

    private static WantedCertificate ToCertificate(Route route) =>
        new(route is Route.Portal ? PortalCertificateId : "host:" + route.Host.Value, [route.Host]);
}
