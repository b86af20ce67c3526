using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;

namespace Piccolo.Core.Remote;

/// <summary>Builds the remote plan whenever something that it follows from has changed, and hands its three parts to those who make them so.</summary>
public sealed class RemoteAccess(
    RemoteSettingsStore settings, RemoteAliasStore aliases, SealedStore store, ListenerTable listeners, LeadershipRegistry leadership,
    RouteTableHolder routes, RelayTunnel tunnel, RenewalScheduler certificates, TimeProvider time, ILogger<RemoteAccess> logger) : BackgroundService
{
    // Only a safety net for a bug: every cause has its signal.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(10);

    // What each of the three was last given: one that failed to take its part is given it again, whatever became of the others.
    private ImmutableArray<Route> _routes = [];
    private ImmutableArray<WantedCertificate> _certificates = [];
    private TunnelTarget? _target;
    private RemotePlan _plan = RemotePlan.Empty;

    /// <summary>The plan in force: every part of it was taken.</summary>
    public RemotePlan Plan => Volatile.Read(ref _plan);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(store.Changed, listeners.Changed, leadership.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            var wait = LookAgain;
            try
            {
                Apply();
            }
            catch (StoreSealedException)
            {
                // Locked between the look and the read; the signal of that is already there.
            }
            catch (Exception e)
            {
                logger.PlanFailed(AfterFailure, e);
                wait = AfterFailure;
            }
            await signals.WaitAsync(wait, time, stoppingToken);
        }
    }

    private void Apply()
    {
        var current = settings.Current;
        var plan = RemotePlan.Build(current, listeners.Current, app => leadership.RoleOf(ResourceId.App(app)), aliases.List());
        if (!_routes.SequenceEqual(plan.Routes))
        {
            routes.Replace(new RouteTable(plan.Routes));
            foreach (var route in plan.Routes.Except(_routes)) LogRoute(route);
            _routes = plan.Routes;
        }
        if (!SameCertificates(_certificates, plan.Certificates))
        {
            certificates.Want(plan.Certificates);
            _certificates = plan.Certificates;
        }
        var target = current is { Enabled: true } ? new TunnelTarget(new Uri(current.Endpoint), current.DeviceSecret, plan.Hostnames) : null;
        if (target != _target)
        {
            tunnel.SetTarget(target);
            _target = target;
        }
        var leftOut = plan.LeftOut.Except(_plan.LeftOut).ToList();
        Volatile.Write(ref _plan, plan);
        foreach (var left in leftOut) logger.LeftOutOfPlan(left);
    }

    private void LogRoute(Route route)
    {
        switch (route)
        {
            case Route.Leader away:
                logger.RouteChanged(away.Host.Value, away.Listener.App, "tunnel", away.LeaderOrigin?.GetLeftPart(UriPartial.Authority) ?? "");
                break;
            case Route.App here:
                logger.RouteChanged(here.Host.Value, here.Listener.App, "local", "");
                break;
        }
    }

    private static bool SameCertificates(ImmutableArray<WantedCertificate> a, ImmutableArray<WantedCertificate> b) =>
        a.Length == b.Length && a.Zip(b).All(p => p.First.Id == p.Second.Id && p.First.Names.SequenceEqual(p.Second.Names));
}
