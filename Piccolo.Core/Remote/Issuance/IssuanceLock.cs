using System.Collections.Immutable;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Remote.Dns;
using Piccolo.Core.Remote.Events;

namespace Piccolo.Core.Remote.Issuance;

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

/// <summary>A name at which records belong, or one that is not covered by them, and what DNS has there.</summary>
/// <param name="Name">A host name, or <c>*.</c> and the domain for the names that nobody has used yet.</param>
/// <param name="Records">What to set, one for each CA whose name and account are known; empty where records do not help.</param>
/// <param name="Found">The properties in force, wherever above the name they were found.</param>
public sealed record LockedName(string Name, TrustLevel Level, ImmutableArray<CaaProperty> Records, ImmutableArray<CaaProperty> Found, string Detail);

/// <param name="CheckedAt">Null before the first look.</param>
public sealed record IssuanceLockState(TrustLevel Level, ImmutableArray<LockedName> Names, DateTimeOffset? CheckedAt)
{
    public static readonly IssuanceLockState Unknown = new(TrustLevel.Unknown, [], null);
}

/// <summary>
/// Looks daily whether CAA records (RFC 8657) keep everybody but this device from certificates for its names. The relay sees port 80 of all of them, so that
/// without such a record it could prove "control" to a CA as well as we do. Every name is looked at: a record at the domain covers those below it only as long
/// as none of them is an alias (RFC 8659, 3). Thread-safe.
/// </summary>
public sealed class IssuanceLock(
    RemoteSettingsStore settings, RemoteAliasStore aliases, ListenerTable listeners, CaaLookup caa, PublicSuffixes suffixes, SealedStore store,
    RemoteEventLog events, IOptions<RemoteOptions> options, TimeProvider time,
    ILogger<IssuanceLock> logger) : BackgroundService
{
    private static readonly TimeSpan RetryUnknown = TimeSpan.FromMinutes(5);

    /// <summary>Names that are looked up at a time.</summary>
    private const int AtOnce = 8;

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
            return await AssessAsync(cancellationToken);
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

    private async Task<IssuanceLockState> AssessAsync(CancellationToken cancellationToken)
    {
        var (us, subjects) = (caa.Everywhere, Subjects());
        if (subjects.Count == 0) return Keep(IssuanceLockState.Unknown);
        var judged = new List<Judgement>();
        foreach (var some in subjects.Chunk(AtOnce)) judged.AddRange(await Task.WhenAll(some.Select(s => JudgeAsync(s, us, cancellationToken))));
        // A name that has nothing of its own, and is as safe as the name above it, is not news.
        LockedName[] names = [.. judged.Where(j => j.Subject.IsTop || (j.Name.Level != TrustLevel.OnlyThisDeviceCanIssue && j.IsOfItsOwn)).Select(j => j.Name)];
        var level = judged.Any(j => j.Name.Level == TrustLevel.RelayCouldIssue) ? TrustLevel.RelayCouldIssue
            : judged.All(j => j.Name.Level == TrustLevel.OnlyThisDeviceCanIssue) ? TrustLevel.OnlyThisDeviceCanIssue
            : TrustLevel.Unknown;
        var state = Keep(new IssuanceLockState(level, [.. names], time.GetUtcNow()));
        if (level == TrustLevel.OnlyThisDeviceCanIssue)
            events.Note(RemoteEventLevel.Info, RemoteEventSources.IssuanceLock, "", level.ToString(), "Only this device can get certificates for its names.");
        if (level == TrustLevel.RelayCouldIssue)
            events.Note(
                RemoteEventLevel.Warn, RemoteEventSources.IssuanceLock, "", level.ToString(),
                "Whoever carries this device's traffic could get certificates for its names.",
                "See GET /api/v1/remote/issuance-lock for the record that ends that.");
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
        if (Subjects() is not { Count: > 0 } subjects || caa.Us is not { AccountUrl: { } account, Identities.IsEmpty: false })
        {
            Keep(IssuanceLockState.Unknown);
            _lookedAt = "";
            return false;
        }
        var subject = $"{account} {string.Join(' ', subjects.Select(s => s.Shown))}";
        if (subject == _lookedAt && State.CheckedAt is { } last)
            return time.GetUtcNow() - last >= (State.Level == TrustLevel.Unknown ? RetryUnknown : options.Value.RecordCheckInterval);
        _lookedAt = subject;
        return true;
    }

    /// <summary>
    /// Every name of ours, and one that nobody can know, which stands for all that a wildcard record answers. Empty while locked or switched off.
    /// </summary>
    private List<Subject> Subjects()
    {
        if (settings.Current is not { Enabled: true } current) return [];
        var domain = current.DomainName;
        var zone = suffixes.RegisteredOf(domain);
        var subjects = new List<Subject> { new(domain, domain.Value, zone, IsTop: true) };
        var plan = RemotePlan.Build(current, listeners.Current, _ => Role.Leader, aliases.List());
        subjects.AddRange(
            plan.Hostnames.Select(DomainName.Parse).Where(n => n != domain).Select(n => new Subject(n, n.Value, zone, IsTop: !n.IsSubdomainOf(domain))));
        if (DomainName.TryParse($"{Guid.NewGuid():N}.{domain}", out var unused)) subjects.Add(new Subject(unused, $"*.{domain}", zone, IsTop: false));
        return subjects;
    }

    private async Task<Judgement> JudgeAsync(Subject subject, ImmutableArray<CaaSubject> us, CancellationToken cancellationToken)
    {
        ImmutableArray<CaaProperty> records =
            [.. us.Where(u => u is { AccountUrl: not null, Identities.IsEmpty: false }).Select(u => CaaPolicy.Lock(u.Identities[0], u.AccountUrl!))];
        var found = await caa.FindAsync(subject.Name, cancellationToken);
        DomainName[] own = [subject.Zone, suffixes.RegisteredOf(subject.Name)];
        var away = found.Aliases.FirstOrDefault(a => !own.Any(zone => a.Target == zone || a.Target.IsSubdomainOf(zone)));
        var isOfItsOwn = found.Failure is not null || found.At == subject.Name || !found.Aliases.IsEmpty;
        var verdict = CaaPolicy.Judge(found.Properties, us, caa.Method);
        // Where the alias leads to a zone of somebody else's, only what that zone says for this very account counts.
        if (found.Failure is null && away.Target is not null && !(verdict == CaaVerdict.OnlyOurAccount && found.At == away.Name))
        {
            return Of(
                TrustLevel.RelayCouldIssue,
                $"{away.Name} is an alias (CNAME) of {away.Target}, and whoever runs that zone decides who may get a certificate for it. "
                    + "Give it A and AAAA records instead.",
                []);
        }
        if (found.Failure is { } failure) return Of(TrustLevel.Unknown, failure, records);
        if (us[0].Identities.IsEmpty) return Of(TrustLevel.Unknown, "The certificate authority's CAA identifier is unknown.", []);
        if (us[0].AccountUrl is null) return Of(TrustLevel.Unknown, "This device has no account at its certificate authority yet.", []);
        return verdict switch
        {
            CaaVerdict.OnlyOurAccount => Of(
                TrustLevel.OnlyThisDeviceCanIssue,
                $"The record at {found.At} lets only this device's account issue.{MissingAuthorities(found.Properties, us)}", records),
            CaaVerdict.Refused =>
                Of(TrustLevel.Unknown, $"The records at {found.At} do not let this device's account issue at all: the next renewal would fail.", records),
            _ => Of(
                TrustLevel.RelayCouldIssue,
                (found.At is null ? $"No CAA record restricts {subject.Shown}." : $"The records at {found.At} let others issue too.")
                    + AliasHint(found, subject),
                records),
        };

        Judgement Of(TrustLevel level, string detail, ImmutableArray<CaaProperty> set) =>
            new(subject, new LockedName(subject.Shown, level, set, found.Properties, detail), isOfItsOwn);
    }

    private static string AliasHint(CaaFinding found, Subject subject) => found.Aliases.Any(a => a.Name == subject.Name)
        ? " No record can stand beside an alias (CNAME): set it at the name above, or give the name A and AAAA records."
        : "";

    /// <summary>A second CA whose record is missing cannot stand in for the first.</summary>
    private string MissingAuthorities(ImmutableArray<CaaProperty> found, ImmutableArray<CaaSubject> us) => string.Concat(us.Skip(1)
        .Where(u => u.AccountUrl is null || CaaPolicy.Judge(found, u, caa.Method) == CaaVerdict.Refused)
        .Select(u => u.AccountUrl is null
            ? $" The second certificate authority {u.Host} has no account of this device yet, so it cannot stand in while the lock is set."
            : $" It shuts out the second certificate authority {u.Host}: add its record, too."));

    /// <param name="Zone">The registered domain of the names below which everything lies.</param>
    private sealed record Subject(DomainName Name, string Shown, DomainName Zone, bool IsTop);

    private sealed record Judgement(Subject Subject, LockedName Name, bool IsOfItsOwn);

    private IssuanceLockState Keep(IssuanceLockState state)
    {
        Volatile.Write(ref _state, state);
        return state;
    }
}
