using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>
/// Keeps a valid certificate per wanted set of names: what is stored and valid is never ordered again, one order per id at a time, a few in parallel,
/// and a failure of one never delays another. Thread-safe.
/// </summary>
public sealed class RenewalScheduler : IDisposable
{
    /// <summary>Orders in flight at once.</summary>
    public const int MaxInFlight = 4;

    /// <summary>Certificates that can be wanted at once.</summary>
    public const int MaxWanted = 1000;

    /// <summary>The loop looks at everything anew at least this often.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>What the ledger knows of names that nobody wants is forgotten after this.</summary>
    private static readonly TimeSpan LedgerMemory = TimeSpan.FromDays(7);

    private readonly CertificateLedger _ledger;
    private readonly CertificateIssuer _issuer;
    private readonly ICertificateStore _store;
    private readonly OrderGate _orderGate;
    private readonly CertificateHealth _health;
    private readonly TimeProvider _time;
    private readonly ILogger<RenewalScheduler> _logger;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _inFlight = new(StringComparer.Ordinal);
    private ImmutableArray<WantedCertificate>? _wanted;
    private CancellationTokenSource _session = new();

    internal RenewalScheduler(
        CertificateLedger ledger, CertificateIssuer issuer, ICertificateStore store, OrderGate orderGate, CertificateHealth health, TimeProvider time,
        ILogger<RenewalScheduler> logger)
    {
        (_ledger, _issuer, _store, _orderGate, _health, _time, _logger) = (ledger, issuer, store, orderGate, health, time, logger);
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
        lock (_gate)
        {
            _wanted = [.. wanted.Where(w => !w.Names.IsDefaultOrEmpty).GroupBy(w => w.Id, StringComparer.Ordinal).Select(g => g.Last())];
            _asked.RemoveWhere(id => !_wanted.Value.Any(w => w.Id == id));
        }
        Wake();
    }

    /// <summary>Orders anew although what is held may last, as soon as the last attempt is a minute old. No effect while an order is under way.</summary>
    /// <returns>False when no certificate of this id is wanted.</returns>
    public bool RenewNow(string id)
    {
        lock (_gate)
        {
            if (_wanted is not { } wanted || !wanted.Any(w => w.Id == id)) return false;
            if (!_inFlight.ContainsKey(id)) _asked.Add(id);
        }
        Wake();
        return true;
    }

    /// <summary>Lets the loop look at everything anew.</summary>
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

    /// <summary>When the next attempt for <paramref name="wanted"/> begins; null while it waits for the gate.</summary>
    internal DateTimeOffset? NextAttempt(WantedCertificate wanted, LedgerSnapshot ledger)
    {
        var now = _time.GetUtcNow();
        DateTimeOffset due;
        lock (_gate) due = DueAt(wanted, ledger, now);
        return due > now ? due : _orderGate.MayOrder(wanted) ? now : null;
    }

    /// <summary>Starts what is due, and says how long nothing else will be.</summary>
    internal TimeSpan Pass()
    {
        lock (_gate)
        {
            if (!FollowStore()) return LongestWait;
            var now = _time.GetUtcNow();
            Prune(now);
            var soonest = now + LongestWait;
            var due = new List<(WantedCertificate Wanted, bool Held, DateTimeOffset At)>();
            foreach (var wanted in _wanted ?? [])
            {
                if (_inFlight.ContainsKey(wanted.Id)) continue;
                var at = DueAt(wanted, _ledger.Snapshot, now);
                if (at > now) soonest = at < soonest ? at : soonest;
                else if (_orderGate.MayOrder(wanted)) due.Add((wanted, _ledger.Snapshot.Certificates.ContainsKey(wanted.Id), at));
            }
            // Names that nothing serves yet go first.
            foreach (var (wanted, _, _) in due.OrderBy(d => d.Held).ThenBy(d => d.At).Take(MaxInFlight - _inFlight.Count)) Start(wanted);
            _health.Report(_wanted ?? [], _ledger.Snapshot, now);
            return soonest - now;
        }
    }

    /// <summary>Stops the orders that are under way and waits for them; what they had at the CA is taken up again later.</summary>
    internal async Task StopAsync()
    {
        Task[] running;
        lock (_gate)
        {
            _session.Cancel();
            running = [.. _inFlight.Values];
        }
        await Task.WhenAll(running);
    }

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

    private void Prune(DateTimeOffset now)
    {
        if (_wanted is not { } wanted) return;
        var ledger = _ledger.Snapshot;
        var kept = wanted.Select(w => w.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, held) in ledger.Certificates)
        {
            // A valid one stays: whoever brings the name back needs no new order.
            if (kept.Contains(id) || _inFlight.ContainsKey(id) || held.Facts.NotAfter > now) continue;
            _ledger.Forget(id);
            _logger.CertificateRemoved(id);
        }
        foreach (var (id, attempt) in ledger.Attempts)
        {
            if (!kept.Contains(id) && !_inFlight.ContainsKey(id) && !ledger.Certificates.ContainsKey(id) && attempt.LastAttempt < now - LedgerMemory) _ledger.Forget(id);
        }
    }

    private DateTimeOffset DueAt(WantedCertificate wanted, LedgerSnapshot ledger, DateTimeOffset now) => DuePolicy.DueAt(
        wanted, ledger.Certificates.GetValueOrDefault(wanted.Id), ledger.Attempts.GetValueOrDefault(wanted.Id), _asked.Contains(wanted.Id), now);

    private void Start(WantedCertificate wanted)
    {
        _asked.Remove(wanted.Id);
        var session = _session.Token;
        // The task waits for the lock that we hold before it leaves the set again.
        _inFlight[wanted.Id] = Task.Run(() => RunAsync(wanted, session), CancellationToken.None);
        Changed.Raise();
    }

    private async Task RunAsync(WantedCertificate wanted, CancellationToken session)
    {
        try
        {
            await OrderAsync(wanted, session);
        }
        catch (OperationCanceledException) when (session.IsCancellationRequested)
        {
            // Locked or stopping: the ledger says that the attempt was running.
        }
        catch (StoreSealedException)
        {
            // Locked between two steps: the same.
        }
        catch (Exception e)
        {
            _logger.OrderCrashed(e, wanted.Id);
            RecordCrash(wanted.Id);
        }
        finally
        {
            lock (_gate) _inFlight.Remove(wanted.Id);
            Wake();
        }
    }

    private async Task OrderAsync(WantedCertificate wanted, CancellationToken session)
    {
        var attempt = _ledger.Begin(wanted);
        var names = string.Join(", ", wanted.Names.Select(n => n.Value));
        _logger.OrderStarted(wanted.Id, names, _issuer.Directory.Host, attempt.Order is not null);
        var result = await _issuer.IssueAsync(wanted, attempt.Order, order => _ledger.Placed(wanted.Id, order), session);
        session.ThrowIfCancellationRequested();
        if (result.Failure is { } failure)
        {
            var failed = _ledger.Fail(wanted.Id, failure);
            _logger.OrderFailed(wanted.Id, failure.Class, failure.Code, failure.Detail, failed.Failures, failed.NextAttempt);
            return;
        }
        var held = _ledger.Complete(result.Value);
        _logger.CertificateIssued(wanted.Id, names, held.Facts.Issuer, held.Facts.NotAfter, held.RenewAt);
    }

    private void RecordCrash(string id)
    {
        try
        {
            _ledger.Fail(id, new AcmeFailure(AcmeFailureClass.Internal, "internal", "The appliance met an unexpected error; its log has the details."));
        }
        catch (StoreSealedException)
        {
            // Locked meanwhile: the ledger says that the attempt was running.
        }
        catch (Exception e)
        {
            // The store refuses too; the wait is kept in memory.
            _logger.OrderCrashed(e, id);
        }
    }
}
