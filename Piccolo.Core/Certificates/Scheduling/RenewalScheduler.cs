using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>
/// Keeps a valid certificate per wanted set of names: what is stored and valid is never ordered again, one order per id and per set of names at a time, a
/// few in parallel, and a failure of one never delays another. Thread-safe.
/// </summary>
public sealed class RenewalScheduler : IDisposable
{
    /// <summary>Orders in flight at once.</summary>
    public const int MaxInFlight = 4;

    /// <summary>Certificates that can be wanted at once.</summary>
    public const int MaxWanted = 1000;

    /// <summary>The loop re-evaluates everything at least this often.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly CertificateLedger _ledger;
    private readonly OrderRunner _runner;
    private readonly CertificateMaintenance _maintenance;
    private readonly ICertificateStore _store;
    private readonly OrderGate _orderGate;
    private readonly CertificateHealth _health;
    private readonly TimeProvider _time;
    private readonly ILogger<RenewalScheduler> _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (WantedCertificate Wanted, Task Done)> _inFlight = new(StringComparer.Ordinal);
    private ImmutableArray<WantedCertificate>? _wanted;
    private CancellationTokenSource _session = new();

    internal RenewalScheduler(
        CertificateLedger ledger, OrderRunner runner, CertificateMaintenance maintenance, ICertificateStore store, OrderGate orderGate,
        CertificateHealth health, TimeProvider time,
        ILogger<RenewalScheduler> logger)
    {
        (_ledger, _runner, _maintenance, _store, _orderGate, _health, _time, _logger) = (ledger, runner, maintenance, store, orderGate, health, time, logger);
    }

    /// <summary>Raised after each change of what is wanted, under way, held or failed.</summary>
    public ChangeSignal Changed { get; } = new();

    internal ChangeSignal Woken { get; } = new();

    internal ImmutableArray<WantedCertificate> Wanted
    {
        get
        {
            lock (_gate) return _wanted ?? [];
        }
    }

    /// <summary>Takes the whole list of what is wanted from now on. The last entry of an id counts.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaxWanted"/>.</exception>
    public void Want(IReadOnlyList<WantedCertificate> wanted)
    {
        if (wanted.Count > MaxWanted) throw new ArgumentException($"At most {MaxWanted} certificates can be wanted.", nameof(wanted));
        lock (_gate) _wanted = [.. wanted.Where(w => !w.Names.IsDefaultOrEmpty).GroupBy(w => w.Id, StringComparer.Ordinal).Select(g => g.Last())];
        Wake();
    }

    /// <summary>Orders again although what is held may last, as soon as the last attempt is a minute old. No effect while an order is under way.</summary>
    /// <returns>False when no certificate of this id is wanted.</returns>
    public bool RenewNow(string id) => RequestRenewal(id, revoke: false);

    /// <summary>
    /// What would keep an order that is asked for now from beginning, beyond a minute's pause: the limit or <c>not_reachable</c>, and until when it does,
    /// where that is known.
    /// </summary>
    /// <returns>Null where nothing does, or no certificate of this id is wanted.</returns>
    public (DateTimeOffset? Until, string Limit)? HeldBack(string id)
    {
        if (Wanted.FirstOrDefault(w => w.Id == id) is not { } wanted) return null;
        if (_runner.HeldBack(wanted, _ledger.Snapshot, _time.GetUtcNow()) is { Limit: { } limit } held) return (held.At, limit);
        return _orderGate.MayOrder(wanted) ? null : (null, "not_reachable");
    }

    /// <summary>
    /// As <see cref="RenewNow"/>, and once the new one serves the CA is asked to revoke the one that is held now. Every order makes a new key.
    /// </summary>
    public bool RekeyNow(string id) => RequestRenewal(id, revoke: true);

    /// <summary>Makes the loop re-evaluate everything.</summary>
    public void Wake()
    {
        Woken.Raise();
        Changed.Raise();
    }

    public void Dispose() => _session.Dispose();

    internal bool IsInFlight(string id)
    {
        lock (_gate) return _inFlight.ContainsKey(id);
    }

    /// <summary>
    /// When the next attempt for <paramref name="wanted"/> begins, null while it waits for the gate; and what keeps it waiting beyond that, if anything.
    /// </summary>
    internal (DateTimeOffset? At, string? HeldBackBy) NextAttempt(WantedCertificate wanted, LedgerSnapshot ledger)
    {
        var now = _time.GetUtcNow();
        var (due, limit) = _runner.DueAt(wanted, ledger, now);
        if (due > now) return (due, limit);
        return _orderGate.MayOrder(wanted) ? (now, null) : (null, "not_reachable");
    }

    /// <summary>Starts what is due, and says how long nothing else will be.</summary>
    internal TimeSpan Pass()
    {
        lock (_gate)
        {
            if (!FollowStore()) return LongestWait;
            var now = _time.GetUtcNow();
            LedgerPruning.Run(_ledger, _wanted, _inFlight.ContainsKey, now, _logger);
            var (due, soonest) = Due(now);
            // Names that nothing serves yet go first.
            foreach (var (wanted, _, _) in due.OrderBy(d => d.Held).ThenBy(d => d.At))
            {
                if (_inFlight.Count >= MaxInFlight) break;
                if (!IsBeingOrdered(wanted) && _runner.TryReserve(wanted, _ledger.Snapshot, now)) Start(wanted);
            }
            var next = _maintenance.Pass(_wanted ?? [], _ledger.Snapshot, now, Wake, _session.Token);
            _health.Report(_wanted ?? [], _ledger.Snapshot, now);
            return (next < soonest ? next : soonest) - now;
        }
    }

    /// <summary>Stops the orders that are under way and waits for them; what they had at the CA is taken up again later.</summary>
    internal async Task StopAsync()
    {
        lock (_gate) _session.Cancel();
        await SettledAsync();
    }

    /// <summary>Completes when nothing that was under way is so any longer.</summary>
    internal Task SettledAsync()
    {
        lock (_gate) return Task.WhenAll([.. _inFlight.Values.Select(f => f.Done), .. _maintenance.UnderWay]);
    }

    private bool RequestRenewal(string id, bool revoke)
    {
        lock (_gate)
        {
            if (_wanted is not { } wanted || !wanted.Any(w => w.Id == id)) return false;
            if (revoke || !_inFlight.ContainsKey(id)) _ledger.RequestRenewal(id, revoke);
        }
        Wake();
        return true;
    }

    private (List<(WantedCertificate Wanted, bool Held, DateTimeOffset At)> Due, DateTimeOffset Soonest) Due(DateTimeOffset now)
    {
        var soonest = now + LongestWait;
        var due = new List<(WantedCertificate Wanted, bool Held, DateTimeOffset At)>();
        var ledger = _ledger.Snapshot;
        foreach (var wanted in _wanted ?? [])
        {
            if (_inFlight.ContainsKey(wanted.Id)) continue;
            var (at, _) = _runner.DueAt(wanted, ledger, now);
            if (at > now) soonest = at < soonest ? at : soonest;
            else if (_orderGate.MayOrder(wanted)) due.Add((wanted, ledger.Certificates.ContainsKey(wanted.Id), at));
        }
        return (due, soonest);
    }

    private bool IsBeingOrdered(WantedCertificate wanted) =>
        _inFlight.Values.Any(f => f.Wanted.Names.Length == wanted.Names.Length && f.Wanted.Names.All(n => wanted.Names.Contains(n)));

    private bool FollowStore()
    {
        var isLoaded = _ledger.Snapshot.IsLoaded;
        if (!_store.IsOpen) _health.Closed();
        if (_store.IsOpen == isLoaded) return isLoaded;
        _session.Cancel();
        _session.Dispose();
        _session = new CancellationTokenSource();
        if (isLoaded) _ledger.Clear();
        else _ledger.Load();
        Changed.Raise();
        return !isLoaded;
    }

    private void Start(WantedCertificate wanted)
    {
        var session = _session.Token;
        // The task waits for the lock that we hold before it leaves the set again.
        _inFlight[wanted.Id] = (wanted, Task.Run(
            async () =>
            {
                await _runner.RunAsync(wanted, session);
                lock (_gate) _inFlight.Remove(wanted.Id);
                Wake();
            },
            CancellationToken.None));
        Changed.Raise();
    }
}
