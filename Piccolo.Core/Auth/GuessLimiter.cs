namespace Piccolo.Core.Auth;

/// <summary>
/// Remembers who guessed wrong, per address and class of origin, in bounded memory. What it refuses must not be evaluated: a refused right password must look
/// like a refused wrong one. Thread-safe.
/// </summary>
public sealed class GuessLimiter(TimeProvider time)
{
    public const int MaxSources = 4096;
    private const int OwnerRank = 0;
    private static readonly TimeSpan BusyRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RememberProven = TimeSpan.FromDays(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<GuessSource, Record> _records = [];

    // One for each class of origin that is not the own network: a handful.
    private readonly Dictionary<string, ClassBudget> _classes = new(StringComparer.Ordinal);

    internal int Count
    {
        get
        {
            lock (_gate) return _records.Count;
        }
    }

    /// <returns>An attempt that may be evaluated now, or how long to wait.</returns>
    public GuessAdmission Enter(GuessSource source)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var record = Find(source, now);
            if (record.NextAt > now) return new GuessAdmission(null, record.NextAt - now);
            // Attempts under way count as wrong until they have ended otherwise; else a hundred at once would all be free.
            if (record.Pending > 0 && record.Failures + record.Pending >= GuessPolicy.FreeFailures) return new GuessAdmission(null, BusyRetry);
            var rank = RankOf(source, record);
            if (rank != OwnerRank && BudgetOf(source)?.Enter(now) is { } wait)
            {
                if (record.IsNothing) _records.Remove(source);
                return new GuessAdmission(null, wait);
            }
            record.Pending++;
            record.LastSeen = now;
            return new GuessAdmission(new GuessAttempt(this, source, rank), TimeSpan.Zero);
        }
    }

    internal void End(GuessSource source, int rank, bool? right)
    {
        lock (_gate)
        {
            if (rank != OwnerRank) BudgetOf(source)?.End(right == false, time.GetUtcNow());
            if (!_records.TryGetValue(source, out var record)) return;
            var now = time.GetUtcNow();
            record.Pending--;
            record.LastSeen = now;
            if (right == true)
            {
                record.Failures = 0;
                record.NextAt = default;
                record.Proven = true;
            }
            else if (right == false)
            {
                record.Failures++;
                record.NextAt = now + GuessPolicy.DelayAfter(record.Failures, source.IsLocal);
            }
            if (record.IsNothing) _records.Remove(source);
        }
    }

    /// <summary>The lower, the sooner: where the owner has been before, then the own network, then others without failures.</summary>
    private static int RankOf(GuessSource source, Record record)
    {
        var clean = record.Failures == 0 && record.Pending == 0;
        if (record.Proven && clean) return OwnerRank;
        return (source.IsLocal, clean) switch { (true, true) => 1, (false, true) => 2, (true, false) => 3, _ => 4 };
    }

    private ClassBudget? BudgetOf(GuessSource source)
    {
        if (source.IsLocal) return null;
        if (!_classes.TryGetValue(source.OriginClass, out var budget)) _classes[source.OriginClass] = budget = new ClassBudget();
        return budget;
    }

    private Record Find(GuessSource source, DateTimeOffset now)
    {
        if (!_records.TryGetValue(source, out var record))
        {
            if (_records.Count >= MaxSources) Evict(now);
            return _records[source] = new Record { LastSeen = now };
        }
        if (record.Failures > 0 && now - record.LastSeen >= GuessPolicy.ForgetAfter(source.IsLocal)) record.Failures = 0;
        if (record.Proven && now - record.LastSeen >= RememberProven) record.Proven = false;
        return record;
    }

    /// <summary>Whoever has been quiet longest goes, and the owner's own addresses last.</summary>
    private void Evict(DateTimeOffset now)
    {
        var idle = _records.Where(r => r.Value.Pending == 0);
        if (!idle.Any()) return;
        var (source, _) = idle.MinBy(r => (r.Value.Proven && now - r.Value.LastSeen < RememberProven, r.Value.LastSeen));
        _records.Remove(source);
    }

    private sealed class Record
    {
        public int Failures { get; set; }
        public int Pending { get; set; }
        public bool Proven { get; set; }
        public DateTimeOffset NextAt { get; set; }
        public DateTimeOffset LastSeen { get; set; }

        public bool IsNothing => this is { Pending: 0, Failures: 0, Proven: false };
    }

    /// <summary>What a class of origin has used up of its wrong attempts; those under way count as wrong until they have ended otherwise.</summary>
    private sealed class ClassBudget
    {
        private readonly Queue<DateTimeOffset> _wrong = new();
        private int _pending;

        /// <returns>How long to wait; null when the attempt is admitted.</returns>
        public TimeSpan? Enter(DateTimeOffset now)
        {
            while (_wrong.TryPeek(out var oldest) && now - oldest >= GuessPolicy.ClassWindow) _wrong.Dequeue();
            if (_wrong.Count >= GuessPolicy.MaxStrangersFailures) return _wrong.Peek() + GuessPolicy.ClassWindow - now;
            if (_wrong.Count + _pending >= GuessPolicy.MaxStrangersFailures) return BusyRetry;
            _pending++;
            return null;
        }

        public void End(bool wrong, DateTimeOffset now)
        {
            _pending--;
            if (wrong) _wrong.Enqueue(now);
        }
    }
}

/// <param name="Attempt">Null when refused.</param>
public readonly record struct GuessAdmission(GuessAttempt? Attempt, TimeSpan RetryAfter);

/// <summary>One admitted attempt. Disposing it without a verdict counts it as neither right nor wrong.</summary>
public sealed class GuessAttempt(GuessLimiter limiter, GuessSource source, int rank) : IDisposable
{
    private bool _ended;

    /// <summary>Its place in the queue for the evaluation; the lower, the sooner.</summary>
    public int Rank => rank;

    public void Right() => End(true);

    public void Wrong() => End(false);

    public void Dispose() => End(null);

    private void End(bool? right)
    {
        if (_ended) return;
        _ended = true;
        limiter.End(source, rank, right);
    }
}
