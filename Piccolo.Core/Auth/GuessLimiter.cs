namespace Piccolo.Core.Auth;

/// <summary>
/// Remembers who guessed wrong, per address and class of origin, in bounded memory, by a clock that nobody sets. What it refuses must not be evaluated: a
/// refused right password must look like a refused wrong one. Thread-safe.
/// </summary>
public sealed class GuessLimiter(TimeProvider time)
{
    public const int MaxSources = 4096;
    private const int OwnerRank = 0;
    private static readonly TimeSpan BusyRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KnownGoodMemory = TimeSpan.FromDays(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string OriginClass, string Name), Record> _records = [];
    private readonly long _start = time.GetTimestamp();

    // One for each class of origin: a handful.
    private readonly Dictionary<string, ClassBudget> _classes = new(StringComparer.Ordinal);

    internal int Count
    {
        get
        {
            lock (_gate) return _records.Count;
        }
    }

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <returns>An attempt that may be evaluated now, or how long to wait.</returns>
    public GuessAdmission Enter(GuessSource source)
    {
        lock (_gate)
        {
            var now = Now;
            var (key, record) = Find(source, now);
            if (record.NextAt > now) return new GuessAdmission(null, record.NextAt - now);
            // Attempts under way count as wrong until they have ended otherwise; else a hundred at once would all be free.
            if (record.Pending > 0 && record.Failures + record.Pending >= GuessPolicy.FreeFailures) return new GuessAdmission(null, BusyRetry);
            // Where the owner has been before nobody else's failures count.
            var budget = record.KnownGood ? null : BudgetOf(source);
            if (budget?.Enter(now) is { } wait)
            {
                if (record.IsNothing) _records.Remove(key);
                return new GuessAdmission(null, wait);
            }
            var rank = RankOf(source, record);
            record.Pending++;
            record.LastSeen = now;
            return new GuessAdmission(new GuessAttempt(rank, right => End(source, key, budget, right)), TimeSpan.Zero);
        }
    }

    private void End(GuessSource source, (string, string) key, ClassBudget? budget, bool? right)
    {
        lock (_gate)
        {
            var now = Now;
            budget?.End(right == false, now);
            if (!_records.TryGetValue(key, out var record)) return;
            record.Pending--;
            record.LastSeen = now;
            if (right == false)
            {
                record.Failures++;
                record.NextAt = now + GuessPolicy.DelayAfter(record.Failures, source.IsLocal);
            }
            else if (right == true)
            {
                // The right password came from this address, not from its whole network.
                var own = key == OwnKey(source) ? record : Add(OwnKey(source), now);
                (own.Failures, own.NextAt, own.KnownGood) = (0, default, true);
            }
            if (record.IsNothing) _records.Remove(key);
        }
    }

    private static (string, string) OwnKey(GuessSource source) => (source.OriginClass, source.Address);

    /// <summary>The lower, the sooner: where the owner has been before, then the own network, then others without failures.</summary>
    private static int RankOf(GuessSource source, Record record)
    {
        var clean = record.Failures == 0 && record.Pending == 0;
        if (record.KnownGood && clean) return OwnerRank;
        return (source.IsLocal, clean) switch { (true, true) => 1, (false, true) => 2, (true, false) => 3, _ => 4 };
    }

    private ClassBudget BudgetOf(GuessSource source)
    {
        if (!_classes.TryGetValue(source.OriginClass, out var budget))
            _classes[source.OriginClass] = budget = new ClassBudget(GuessPolicy.MaxFailuresPerOriginClass(source.IsLocal));
        return budget;
    }

    /// <summary>The address's own record once it has given the right password, else that of its network, where it has one.</summary>
    private ((string, string) Key, Record Record) Find(GuessSource source, TimeSpan now)
    {
        var key = OwnKey(source);
        if (_records.TryGetValue(key, out var record) && record.KnownGood && now - record.LastSeen >= KnownGoodMemory) record.KnownGood = false;
        if (source.Network is { } network && record?.KnownGood != true) key = (source.OriginClass, network);
        if (!_records.TryGetValue(key, out record)) return (key, Add(key, now));
        if (record.Failures > 0 && now - record.LastSeen >= GuessPolicy.ForgetAfter(source.IsLocal)) record.Failures = 0;
        return (key, record);
    }

    private Record Add((string, string) key, TimeSpan now)
    {
        if (_records.TryGetValue(key, out var known)) return known;
        if (_records.Count >= MaxSources) Evict(now);
        return _records[key] = new Record { LastSeen = now };
    }

    /// <summary>Whoever has been quiet longest goes, and the owner's own addresses last.</summary>
    private void Evict(TimeSpan now)
    {
        var idle = _records.Where(r => r.Value.Pending == 0);
        if (!idle.Any()) return;
        var (source, _) = idle.MinBy(r => (r.Value.KnownGood && now - r.Value.LastSeen < KnownGoodMemory, r.Value.LastSeen));
        _records.Remove(source);
    }

    private sealed class Record
    {
        public int Failures { get; set; }
        public int Pending { get; set; }
        public bool KnownGood { get; set; }
        public TimeSpan NextAt { get; set; }
        public TimeSpan LastSeen { get; set; }

        public bool IsNothing => this is { Pending: 0, Failures: 0, KnownGood: false };
    }

    /// <summary>What a class of origin has used up of its wrong attempts; those under way count as wrong until they have ended otherwise.</summary>
    private sealed class ClassBudget(int maxFailures)
    {
        private readonly Queue<TimeSpan> _failures = new();
        private int _pending;

        /// <returns>How long to wait; null when the attempt is admitted.</returns>
        public TimeSpan? Enter(TimeSpan now)
        {
            while (_failures.TryPeek(out var oldest) && now - oldest >= GuessPolicy.ClassWindow) _failures.Dequeue();
            if (_failures.Count >= maxFailures) return _failures.Peek() + GuessPolicy.ClassWindow - now;
            if (_failures.Count + _pending >= maxFailures) return BusyRetry;
            _pending++;
            return null;
        }

        public void End(bool wrong, TimeSpan now)
        {
            _pending--;
            if (wrong) _failures.Enqueue(now);
        }
    }
}

/// <param name="Attempt">Null when refused.</param>
public readonly record struct GuessAdmission(GuessAttempt? Attempt, TimeSpan RetryAfter);

/// <summary>One admitted attempt. Disposing it without a verdict counts it as neither right nor wrong.</summary>
public sealed class GuessAttempt(int rank, Action<bool?> end) : IDisposable
{
    private bool _ended;

    /// <summary>Its place in the queue for the evaluation; the lower, the sooner.</summary>
    public int Rank => rank;

    public void Succeeded() => End(true);

    public void Failed() => End(false);

    public void Dispose() => End(null);

    private void End(bool? right)
    {
        if (_ended) return;
        _ended = true;
        end(right);
    }
}
