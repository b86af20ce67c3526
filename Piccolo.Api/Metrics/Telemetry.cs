using System.Diagnostics.Metrics;
using System.Text.Json;
using Piccolo.Core.Apps;
using Piccolo.Core.Certificates;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Metrics;

/// <summary>
/// The instruments of what has none of its own: read when somebody scrapes, from the same snapshots that the API shows. Meters and sources are named
/// <c>Piccolo.*</c>.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    private readonly Meter _meter;

    public Telemetry(
        IMeterFactory meters, HealthTracker health, ApplianceVault vault, SealedStore store, RelayTunnel tunnel,
        CertificateInventory certificates, AppStatusBoard apps, FrontDoorBoard names, TimeProvider time)
    {
        _meter = meters.Create("Piccolo.Appliance");
        _meter.CreateObservableGauge("piccolo.vault.unlocked", () => vault.State == VaultState.Unlocked ? 1 : 0, null, "1 while unlocked.");
        _meter.CreateObservableGauge("piccolo.health.level", () =>
            health.Snapshot.Components.Select(c => Of((int)c.Level, "component", c.Name)), null, "0 ok, 1 degraded, 2 fatal.");
        _meter.CreateObservableGauge("piccolo.store.revision", () => store.Revision, "{commit}", "Grows by one with each commit; 0 while sealed.");
        ObserveTunnel(tunnel);
        ObserveNames(names);
        _meter.CreateObservableGauge("piccolo.certificates", () =>
            certificates.List().CountBy(c => c.Status).Select(g => Of(g.Value, "status", Name(g.Key))), "{certificate}", "Wanted certificates, by status.");
        _meter.CreateObservableGauge(
            "piccolo.certificates.remaining", () =>
                certificates.List().Where(c => c.NotAfter is not null).Select(c => Of((c.NotAfter!.Value - time.GetUtcNow()).TotalSeconds, "id", c.Id)), "s",
            "Until the certificate that is held expires.");
        _meter.CreateObservableGauge("piccolo.apps", () =>
            apps.Current.Values.CountBy(a => a.State).Select(g => Of(g.Value, "state", Name(g.Key))), "{app}", "Apps, by observed state.");
    }

    public void Dispose() => _meter.Dispose();

    private void ObserveTunnel(RelayTunnel tunnel)
    {
        _meter.CreateObservableGauge("piccolo.tunnel.online", () =>
            tunnel.Status.State == TunnelState.Online ? 1 : 0, null, "1 while the relay has accepted a session.");
        _meter.CreateObservableGauge("piccolo.tunnel.sessions", () => tunnel.Status.Sessions, "{session}", "Accepted sessions.");
        _meter.CreateObservableGauge("piccolo.tunnel.streams", () => tunnel.Status.Streams, "{stream}", "Users' connections that are open.");
        _meter.CreateObservableGauge("piccolo.tunnel.state", () =>
            Enum.GetValues<TunnelState>().Select(s => Of(tunnel.Status.State == s ? 1 : 0, "state", Name(s))), null, "1 for the state that it is in.");
        _meter.CreateObservableGauge("piccolo.tunnel.buffered", () => tunnel.Status.BufferedBytes, "By", "What users have sent and no app has read yet.");
        _meter.CreateObservableGauge("piccolo.tunnel.draining", () => tunnel.Status.Draining.Length, "{session}", "Sessions that only let their streams end.");
        _meter.CreateObservableGauge(
            "piccolo.tunnel.round_trip", () => tunnel.Status.RoundTrip is { } trip ? new[] { new Measurement<double>(trip.TotalSeconds) } : [],
            "s", "To the relay and back, as last measured.");
        _meter.CreateObservableCounter(
            "piccolo.tunnel.reconnects", () => tunnel.Status.Counts.ReconnectsByReason.Select(r => Of(r.Value, "reason", r.Key)), "{session}",
            "Sessions opened because an earlier one ended by itself, by the code of that end.");
        _meter.CreateObservableCounter("piccolo.tunnel.streams.total", () => tunnel.Status.Counts.Streams, "{stream}", "Users' connections that were let in.");
        _meter.CreateObservableCounter("piccolo.tunnel.streams.cut", () =>
            tunnel.Status.Counts.CutStreams, "{stream}", "Users' connections that ended because their session did.");
        _meter.CreateObservableCounter(
            "piccolo.tunnel.streams.refused", () =>
                tunnel.Status.Counts.RefusedStreams.Select(r => Of(r.Value, "cause", r.Key)), "{stream}", "Users' connections that were not let in.");
        _meter.CreateObservableCounter("piccolo.tunnel.sessions.replaced", () =>
            tunnel.Status.Counts.ReplacedSessions, "{session}", "Sessions that gave way to one with other names.");
        _meter.CreateObservableCounter("piccolo.tunnel.bytes", () =>
            new[] { Of(tunnel.Status.BytesIn, "direction", "in"), Of(tunnel.Status.BytesOut, "direction", "out") }, "By", "Payload of users' connections.");
    }

    private void ObserveNames(FrontDoorBoard names)
    {
        _meter.CreateObservableGauge(
            "piccolo.names", () => names.Names.CountBy(n => n.Result)
                .Select(g => Of(g.Value, "result", Name(g.Key))), "{name}", "Public names, by what was found when they were dialled from outside.");
        _meter.CreateObservableGauge(
            "piccolo.names.reachable", () =>
                names.Names.Where(n => n.Result != ReachResult.Unknown).Select(n => Of(n.Result == ReachResult.Reachable ? 1 : 0, "name", n.Name)), null,
            "1 while this device answers who dials the name from outside.");
        _meter.CreateObservableGauge(
            "piccolo.names.round_trip", () =>
                names.Names.Where(n => n.RoundTrip is not null).Select(n => Of(n.RoundTrip!.Value.TotalSeconds, "name", n.Name)),
            "s", "Of the last look that reached this device.");
    }

    private static Measurement<T> Of<T>(T value, string tag, string name) where T : struct => new(value, new KeyValuePair<string, object?>(tag, name));

    private static string Name<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
