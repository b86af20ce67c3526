using System.Collections.Immutable;
using System.Net;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel;

namespace Piccolo.Core.Remote.Checks;

/// <summary>Looks whether all is in place for strangers to be served: everything is tried now, nothing is taken from memory. Changes nothing.</summary>
public sealed class RemotePreflight(
    RemoteSettingsStore settings, RemoteAccess remote, NameChecks names, Port80Check port80, RelayTunnel tunnel, ClockFloor clock, TimeProvider time)
{
    /// <summary>Names that are looked at in one run; the portal is always among them.</summary>
    public const int MaxNames = 20;

    /// <returns>Null when remote access is not configured.</returns>
    public async Task<ImmutableArray<PreflightCheck>?> RunAsync(CancellationToken cancellationToken)
    {
        if (settings.Current is not { } current) return null;
        var (endpoint, portal) = (current.Endpoint, current.PortalName);
        current = null;
        ImmutableArray<DomainName> checkedNames = [.. remote.Plan.Certificates.SelectMany(c => c.Names).Prepend(portal).Distinct().Take(MaxNames)];
        var relay = await names.RelayAddressesAsync(endpoint, cancellationToken);
        var perName = await Task.WhenAll(checkedNames.Select(n => OfNameAsync(n, relay, cancellationToken)));
        return [Clock(), Tunnel(checkedNames), .. perName.SelectMany(c => c)];
    }

    private async Task<PreflightCheck[]> OfNameAsync(DomainName name, ImmutableArray<IPAddress> relay, CancellationToken cancellationToken) =>
    [
        names.Syntax(name),
        .. await Task.WhenAll(
            names.DnsAsync(name, relay, cancellationToken), names.CaaAsync(name, cancellationToken), port80.RunAsync(name, cancellationToken)),
    ];

    private PreflightCheck Clock() => clock.IsWrong
        ? new(
            "clock", "Clock", null, PreflightStatus.Fail,
            $"The clock is behind: it says {time.GetUtcNow():u}, but it must be later than {clock.Floor:u}.",
            "Set the date, or wait for time synchronisation.")
        : new("clock", "Clock", null, PreflightStatus.Pass, $"The clock says {time.GetUtcNow():u}, which is plausible.");

    private PreflightCheck Tunnel(IEnumerable<DomainName> wanted)
    {
        var line = tunnel.Status;
        if (line.State != TunnelState.Online)
            return new(
                "tunnel", "Tunnel", null, PreflightStatus.Fail, line.Reason ?? "The relay has not accepted this device.",
                line.NextStep ?? "See 'tunnel' in GET /api/v1/remote/status.");
        var missing = wanted.Where(n => !line.Hostnames.Contains(n.Value)).Select(n => n.Value).ToList();
        return missing.Count == 0
            ? new("tunnel", "Tunnel", null, PreflightStatus.Pass, "The relay has accepted this device and knows its names.")
            : new(
                "tunnel", "Tunnel", null, PreflightStatus.Warn,
                $"The relay has accepted this device, but does not know {string.Join(", ", missing)} yet.", "Look again in a few seconds.");
    }
}
