using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Checks;
using Piccolo.Core.Remote.Dns;
using Piccolo.Core.Remote.Events;

namespace Piccolo.Core.Remote.Aliases;

/// <summary>
/// Looks whether an alias leads to the relay, soon after it was added until it does, and daily from then on. A verified alias stays routed when its record
/// goes away: the owner sees why it fails, and nothing flaps with DNS.
/// </summary>
public sealed class AliasVerifier(
    RemoteAliasStore aliases, RemoteSettingsStore settings, SealedStore store, PublicDnsResolver dns, NameChecks checks, RemoteEventLog events,
    IOptions<RemoteOptions> options, TimeProvider time,
    ILogger<AliasVerifier> logger) : BackgroundService
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    public async Task<AliasCheck> CheckAsync(DomainName name, CancellationToken cancellationToken)
    {
        if (settings.Current is not { } current) return new AliasCheck(false, "Remote access is not configured.", null);
        var (endpoint, portal) = (current.Endpoint, current.PortalName);
        current = null;
        var found = await dns.AddressesAsync(name, cancellationToken);
        if (found.Records.IsEmpty)
        {
            return new AliasCheck(
                false, found.Failure ?? $"DNS has no address for {name}.", $"Let {name} be a CNAME of {portal}, or give it the relay's address.");
        }
        // Where the portal leads counts too: a relay may take visitors at another address than its hub.
        var relay = (await checks.RelayAddressesAsync(endpoint, cancellationToken)).AddRange((await dns.AddressesAsync(portal, cancellationToken)).Records);
        if (!found.Records.Any(relay.Contains))
            return new AliasCheck(
                false, $"{name} leads to {string.Join(", ", found.Records)}, which is not the relay.",
                $"Let {name} be a CNAME of {portal}, or give it the relay's address.");
        var caa = await checks.CaaAsync(name, cancellationToken);
        return caa.Status == PreflightStatus.Fail ? new AliasCheck(false, caa.Detail, caa.NextStep) : new AliasCheck(true, null, null);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(store.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            var wait = LongestWait;
            try
            {
                wait = await VerifyDueAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (StoreSealedException)
            {
                // Locked meanwhile; the signal of that is already there.
            }
            catch (Exception e)
            {
                logger.AliasCheckFailed(e);
            }
            await signals.WaitAsync(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>How long nothing is due.</returns>
    private async Task<TimeSpan> VerifyDueAsync(CancellationToken cancellationToken)
    {
        var soonest = time.GetUtcNow() + LongestWait;
        foreach (var alias in aliases.List())
        {
            var due = DueAt(alias);
            if (due <= time.GetUtcNow())
            {
                Record(alias, await CheckAsync(alias.Name, cancellationToken));
                due = time.GetUtcNow() + options.Value.AliasRetryInterval;
            }
            soonest = due < soonest ? due : soonest;
        }
        var wait = soonest - time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private void Record(RemoteAlias alias, AliasCheck found)
    {
        aliases.Checked(alias.Id, time.GetUtcNow(), found);
        var (level, state) = found.PointsToRelay ? (RemoteEventLevel.Info, "points_to_relay") : (RemoteEventLevel.Warn, "dns_mismatch");
        var message = found.PointsToRelay ? $"{alias.Hostname} leads to the relay." : found.Problem!;
        events.Note(level, RemoteEventSources.Alias, alias.Hostname, state, message, found.PointsToRelay ? null : found.NextStep);
    }

    private DateTimeOffset DueAt(RemoteAlias alias) =>
        alias.LastChecked is not { } last
            ? time.GetUtcNow()
            : last + (alias is { IsVerified: true, Problem: null } ? options.Value.RecordCheckInterval : options.Value.AliasRetryInterval);
}
