using System.Globalization;
using Piccolo.Core.Health;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Health;

/// <summary>How the tunnel is, from what it observed of the relay. Switched off and locked are no faults.</summary>
internal sealed class TunnelHealth(RelayTunnel tunnel, ApplianceVault vault, HealthTracker health) : IHealthReporter
{
    public void Report()
    {
        var (level, message) = Assess(tunnel.Status, vault.State == VaultState.Unlocked);
        if (level == HealthLevel.Ok) health.Ok(HealthComponents.Tunnel, message);
        else health.Degraded(HealthComponents.Tunnel, message);
    }

    public static (HealthLevel Level, string Message) Assess(TunnelStatus status, bool unlocked) => status.State switch
    {
        TunnelState.Disabled when !unlocked => (HealthLevel.Ok, "closed: the appliance is not unlocked"),
        TunnelState.Disabled => (HealthLevel.Ok, "off: " + (status.Reason ?? "remote access is not configured")),
        TunnelState.Draining => (HealthLevel.Ok, "ending what still runs"),
        // A session lives, but the newest names are not claimed by it.
        TunnelState.Online when status.Reason is { } why => (HealthLevel.Degraded, Sentence("online with earlier names", why, status.NextStep)),
        TunnelState.Online => (HealthLevel.Ok, string.Create(CultureInfo.InvariantCulture, $"online with {status.Hostnames.Count} names")),
        TunnelState.Refused => (HealthLevel.Degraded, Sentence("refused", status.Reason, status.NextStep)),
        TunnelState.Waiting => (HealthLevel.Degraded, Sentence("not connected", status.Reason, status.NextStep)),
        _ => (HealthLevel.Degraded, Sentence("connecting", status.Reason, status.NextStep)),
    };

    private static string Sentence(string state, string? reason, string? nextStep) =>
        string.Join(' ', new[] { reason is null ? state : $"{state}: {reason}", nextStep }.Where(p => p is not null));
}
