using System.Collections.Immutable;
using System.Globalization;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Jobs;
using Piccolo.Core.Listeners;
using Piccolo.Core.Routing;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;
using Piccolo.Core.Volumes;

namespace Piccolo.Core.Locking;

/// <summary>Something that a lock ends and that was seen not to have ended.</summary>
public sealed record UnfinishedStep(string Step, string Reason);

/// <summary>
/// Looks at each thing that a lock ends, where it really is: the engine for containers, the sockets for LAN ports, the sessions for the tunnel.
/// Changes nothing: the loops that own these things end them, and try again by themselves.
/// </summary>
public sealed class LockSteps(
    ApplianceVault vault, SealedStore store, JobTable jobs, IContainerRuntime containers, LanPortStates lanPorts, RouteTableHolder routes, RelayTunnel tunnel,
        ServerCertificateTable certificates, IAppVolumes volumes)
{
    /// <summary>The restart of the process that follows a lock sees to it, whatever the engine does.</summary>
    internal const string ConnectionsEnd = "All connections to apps are ended.";

    public async Task<ImmutableArray<UnfinishedStep>> ObserveAsync(CancellationToken cancellationToken)
    {
        var steps = ImmutableArray.CreateBuilder<UnfinishedStep>();
        if (vault.State == VaultState.Unlocked || store.IsOpen) steps.Add(new("keys", "The store is still open."));
        var running = jobs.List().Where(j => !j.HasEnded).Select(j => j.Kind).ToList();
        if (running.Count > 0) steps.Add(new("jobs", $"Still at work: {string.Join(", ", running)}."));
        if (await AppsAsync(cancellationToken) is { } apps) steps.Add(new("apps", apps));
        if (volumes.Mounted() is { IsEmpty: false } mounted) steps.Add(new("volumes", $"Volumes are still open: {string.Join(", ", mounted)}."));
        var open = lanPorts.Current.Values.Count(p => p.Binding == LanPortBinding.Listening);
        if (open > 0) steps.Add(new("lan_ports", string.Create(CultureInfo.InvariantCulture, $"{open} LAN ports of apps are still open.")));
        if (routes.Current.Routes.Count > 0) steps.Add(new("routes", "Public names still lead here."));
        if (tunnel.Status is { State: not TunnelState.Disabled } or { Sessions: > 0 }) steps.Add(new("tunnel", "The connection to the relay is still open."));
        if (!certificates.IsEmpty) steps.Add(new("certificates", "Certificates are still in use."));
        return steps.ToImmutable();
    }

    private async Task<string?> AppsAsync(CancellationToken cancellationToken)
    {
        if (!containers.IsConfigured) return null;
        var found = await containers.ListAsync(cancellationToken);
        if (found.Fault is { } fault) return $"Whether apps still run cannot be seen: {fault.Sentence} {ConnectionsEnd}";
        var running = found.Value.Where(c => c.IsRunning).Select(c => c.App).Order(StringComparer.Ordinal).ToList();
        return running.Count == 0 ? null : $"Still running: {string.Join(", ", running)}. {ConnectionsEnd}";
    }
}
