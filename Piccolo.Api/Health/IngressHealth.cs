using System.Globalization;
using Piccolo.Api.Ingress.Composition;
using Piccolo.Core.Health;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Health;

/// <summary>Which ports answer, and which LAN ports of apps could not be bound.</summary>
internal sealed class IngressHealth(OwnPorts ports, LanPortStates lanPorts, HealthTracker health) : IHealthReporter
{
    private const int NamedFailures = 3;

    public void Report()
    {
        // Before the ports are bound there is nothing to say; when they cannot be, the process ends.
        if (ports.Current is not { } own) return;
        var lan = lanPorts.Current.Values.ToList();
        var failed = lan.Where(p => p.Binding == LanPortBinding.BindFailed).ToList();
        var bound = string.Create(CultureInfo.InvariantCulture, $"listening on {Describe(own)} and {lan.Count - failed.Count} LAN ports of apps");
        if (failed.Count == 0) health.Ok(HealthComponents.Ingress, bound);
        else health.Degraded(HealthComponents.Ingress, $"{bound}; not bound and tried again: {Describe(failed)}");
    }

    private static string Describe(List<LanPortState> failed)
    {
        var named = string.Join(", ", failed.Take(NamedFailures).Select(Describe));
        return failed.Count > NamedFailures ? $"{named}, …" : named;
    }

    private static string Describe(BoundPorts own) => string.Create(
        CultureInfo.InvariantCulture, $"HTTP {(own.Http is { } http ? $"{http}" : "off")}, HTTPS {(own.Https is { } https ? $"{https}" : "off")}");

    private static string Describe(LanPortState state) => string.Create(
        CultureInfo.InvariantCulture, $"{state.Port} of {state.Listener.App}/{state.Listener.Name} ({state.Reason})");
}
