using System.Collections.Immutable;
using Piccolo.Core.Certificates;
using Piccolo.Core.Health;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Tunnel;

namespace Piccolo.Core.Remote;

/// <summary>Remote access as it is at one moment: settings, and what was observed of tunnel and certificates.</summary>
public sealed record RemoteStatus(
    RemoteSettings? Settings, RemoteState State, ImmutableArray<string> Warnings, TunnelStatus Tunnel, CertificateEntry? Portal,
    ImmutableArray<CertificateEntry> Certificates,
    ImmutableArray<NameReach> Names);

/// <summary>Reads the status; computes nothing that was not observed. Thread-safe.</summary>
public sealed class RemoteStatusReader(
    RemoteSettingsStore settings, RemoteAccess remote, RelayTunnel tunnel, CertificateInventory certificates, FrontDoorBoard board, ClockFloor clock,
    TimeProvider time)
{
    public RemoteStatus Read()
    {
        var current = settings.Current;
        var line = tunnel.Status;
        var held = certificates.List();
        var names = board.Names;
        var portal = held.FirstOrDefault(c => c.Id == RemotePlan.PortalCertificateId);
        var seen = new RemoteObservation(
            line.State == TunnelState.Online,
            line.Reason,
            line.State == TunnelState.Refused,
            portal?.NotAfter,
            [.. held.Where(c => c.LastError is not null).Select(c => $"{c.Id}: {c.LastError!.Detail}")],
            clock.IsWrong,
            names.FirstOrDefault(n => n.Name == current?.PortalHost),
            [.. names.Where(n => n.Name != current?.PortalHost)],
            remote.Plan.LeftOut);
        var (state, warnings) = RemoteAssessment.Assess(current, seen, time.GetUtcNow());
        return new RemoteStatus(current, state, warnings, line, portal, held, names);
    }
}
