using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Remote.Events;
using Piccolo.Core.Remote.Naming;

namespace Piccolo.Core.Remote.Checks;

/// <summary>Who could get a certificate for this device's names.</summary>
public enum TrustLevel
{
    /// <summary>Not looked yet, DNS does not say, or there is no account at the CA yet.</summary>
    Unknown,

    /// <summary>Whoever carries this device's traffic could answer a CA's challenge, and so have a certificate of its own.</summary>
    RelayCouldIssue,

    /// <summary>CAA records bind every name to this device's account at its CA.</summary>
    OnlyThisDeviceCanIssue,
}

/// <summary>A name at which the record belongs, and what DNS has there.</summary>
/// <param name="Record">What to set; null while CA or account are not known.</param>
/// <param name="Found">The properties in force, wherever above the name they were found.</param>
public sealed record LockedName(DomainName Name, TrustLevel Level, CaaProperty? Record, ImmutableArray<CaaProperty> Found, string Detail);

/// <param name="CheckedAt">Null before the first look.</param>
public sealed record IssuanceLockState(TrustLevel Level, ImmutableArray<LockedName> Names, DateTimeOffset? CheckedAt)
{
    public static readonly IssuanceLockState Unknown = new(TrustLevel.Unknown, [], null);
}

/// <summary>
/// Looks daily whether CAA records (RFC 8657) keep everybody but this device from certificates for its names. The relay sees port 80 of all of them, so that
/// without such a record it could prove "control" to a CA as well as we do. Thread-safe.
/// </summary>
public sealed class IssuanceLock(
    RemoteSettingsStore settings, RemoteAliasStore aliases, CaaLookup caa, SealedStore store, RemoteEventLog events, IOptions<RemoteOptions> options, TimeProvider time,
    ILogger<IssuanceLock> logger) : BackgroundService
{
    private static readonly TimeSpan RetryUnknown = TimeSpan.FromMinutes(5);

    // One look at a time: an older answer of DNS never replaces a newer one.
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private IssuanceLockState _state = IssuanceLockState.Unknown;
    private string _lookedAt = "";

    public IssuanceLockState State => Volatile.Read(ref _state);

    /// <summary>Looks now.</summary>
    public async Task<IssuanceLockState> CheckAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return await LookAsync(cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public override void Dispose()
    {
        _oneAtATime.Dispose();
        base.Dispose();
    }

    private async Task<IssuanceLockState> LookAsync(CancellationToken cancellationToken)
    {
        var us = caa.Us;
        var names = await Task.WhenAll(Names().Select(n => LookAsync(n, us, cancellationToken)));
        if (names.Length == 0) return Keep(IssuanceLockState.Unknown);
        var level = names.Any(n => n.Level == TrustLevel.RelayCouldIssue) ? TrustLevel.RelayCouldIssue
            : names.All(n => n.Level == TrustLevel.OnlyThisDeviceCanIssue) ? TrustLevel.OnlyThisDeviceCanIssue
            : TrustLevel.Unknown;
        var state = Keep(new IssuanceLockState(level, [.. names], time.GetUtcNow()));
        if (level == TrustLevel.OnlyThisDeviceCanIssue) events.Note(RemoteEventLevel.Info, RemoteEventSources.IssuanceLock, "", level.ToString(), "Only this device can get certificates for its names.");
        if (level == TrustLevel.RelayCouldIssue)
            events.Note(RemoteEventLevel.Warn, RemoteEventSources.IssuanceLock, "", level.ToString(), "Whoever carries this device's traffic could get certificates for its names.", "See GET /api/v1/remote/issuance-lock for the record that ends that.");
        return state;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var signals = new SignalSet(store.Changed);
        while (!stoppingToken.IsCancellationRequested)
        {
            signals.Mark();
            try
            {
                if (IsDue()) await CheckAsync(stoppingToken);
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
                logger.IssuanceLockFailed(e);
            }
            await signals.WaitAsync(RetryUnknown, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Daily; at once when the names or the account are others; soon again while nothing could be told.</summary>
    private bool IsDue()
    {
        // Without an account there is nothing to compare with, and nobody is asked.
        if (Names() is not { Count: > 0 } names || caa.Us is not { AccountUrl: { } account, Identities.IsEmpty: false })
        {
            Keep(IssuanceLockState.Unknown);
            _lookedAt = "";
            return false;
        }
        var subject = $"{account} {string.Join(' ', names)}";
        if (subject == _lookedAt && State.CheckedAt is { } last)
            return time.GetUtcNow() - last >= (State.Level == TrustLevel.Unknown ? RetryUnknown : options.Value.RecordCheckInterval);
        _lookedAt = subject;
        return true;
    }

    /// <summary>The domain covers everything below it; an alias elsewhere needs its own record. Empty while locked or switched off.</summary>
    private List<DomainName> Names()
    {
        if (settings.Current is not { Enabled: true } current) return [];
        var domain = current.DomainName;
        return [domain, .. aliases.List().Where(a => a.IsVerified && !a.Name.IsSubdomainOf(domain) && a.Name != domain).Select(a => a.Name)];
    }

    private async Task<LockedName> LookAsync(DomainName name, CaaSubject us, CancellationToken cancellationToken)
    {
        var record = us is { AccountUrl: { } account, Identities: [var identity, ..] } ? CaaPolicy.Lock(identity, account) : null;
        var found = await caa.FindAsync(name, cancellationToken);
        if (found.Failure is { } failure) return new LockedName(name, TrustLevel.Unknown, record, [], failure);
        if (record is null) return new LockedName(name, TrustLevel.Unknown, null, found.Properties, us.Identities.IsEmpty ? "By which name the certificate authority knows itself in CAA is not known." : "This device has no account at its certificate authority yet.");
        return CaaPolicy.Judge(found.Properties, us, caa.Method) switch
        {
            CaaVerdict.OnlyOurAccount => new LockedName(name, TrustLevel.OnlyThisDeviceCanIssue, record, found.Properties, $"The record at {found.At} lets only this device's account issue."),
            CaaVerdict.Refused => new LockedName(name, TrustLevel.Unknown, record, found.Properties, $"The records at {found.At} do not let this device's account issue at all: the next renewal would fail."),
            _ => new LockedName(name, TrustLevel.RelayCouldIssue, record, found.Properties, found.At is null ? $"No CAA record restricts {name}." : $"The records at {found.At} let others issue too."),
        };
    }

    private IssuanceLockState Keep(IssuanceLockState state)
    {
        Volatile.Write(ref _state, state);
        return state;
    }
}
