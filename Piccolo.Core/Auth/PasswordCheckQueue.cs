namespace Piccolo.Core.Auth;

/// <summary>
/// Lets one costly evaluation run at a time. Those who wait stand in a bounded queue, lower ranks first and in the order of their arrival within one; who finds
/// it full is turned away, unless somebody of a higher rank can be turned away instead. Thread-safe.
/// </summary>
public sealed class PasswordCheckQueue(TimeProvider time)
{
    public const int MaxWaiting = 16;
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();

    // Sorted by rank, then by arrival. Short, so a list will do.
    private readonly List<Waiter> _waiting = [];
    private bool _busy;

    internal int Waiting
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <returns>Whether it is the caller's turn; then <see cref="Leave"/> must follow.</returns>
    public async Task<bool> EnterAsync(int rank, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (!_busy)
            {
                _busy = true;
                return true;
            }
            if (_waiting.Count >= MaxWaiting && !TryEvictLowerPriority(rank)) return false;
            waiter = new Waiter(rank);
            _waiting.Insert(_waiting.FindLastIndex(w => w.Rank <= rank) + 1, waiter);
        }
        try
        {
            return await waiter.Turn.Task.WaitAsync(MaxWait, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Withdraw(waiter);
            if (e is OperationCanceledException) throw;
            return false;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _busy = false;
                return;
            }
            var next = _waiting[0];
            _waiting.RemoveAt(0);
            next.Turn.TrySetResult(true);
        }
    }

    private bool TryEvictLowerPriority(int rank)
    {
        var worst = _waiting[^1];
        if (worst.Rank <= rank) return false;
        _waiting.RemoveAt(_waiting.Count - 1);
        worst.Turn.TrySetResult(false);
        return true;
    }

    private void Withdraw(Waiter waiter)
    {
        bool hadTurn;
#pragma warning disable RS0030 // a task that has completed does not block
        lock (_gate) hadTurn = !_waiting.Remove(waiter) && waiter.Turn.Task is { IsCompletedSuccessfully: true, Result: true };
#pragma warning restore RS0030
        // The turn came in the moment of giving up: the next one takes it.
        if (hadTurn) Leave();
    }

    private sealed class Waiter(int rank)
    {
        public int Rank => rank;

        public TaskCompletionSource<bool> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
