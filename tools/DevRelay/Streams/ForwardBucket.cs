using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Streams;

/// <summary>
/// How many data messages the backend will take from one user. Without limit until the first grant, which fixes the capacity; what later grants put above
/// the capacity is lost. Thread-safe for one taker.
/// </summary>
internal sealed class ForwardBucket(TimeProvider time)
{
    private readonly Lock _lock = new();
    private long _capacity;
    private long _credits;
    private TaskCompletionSource? _waiter;

    /// <summary>Null before the first grant.</summary>
    public long? Credits
    {
        get
        {
            lock (_lock) return _capacity == 0 ? null : _credits;
        }
    }

    public void Grant(long credits)
    {
        if (credits <= 0) return;
        credits = Math.Min(credits, Nexus.LargestGrant);
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            if (_capacity == 0) _capacity = Math.Max(Nexus.InitialCredits, credits);
            _credits = Math.Min(_capacity, _credits + credits);
            waiter = _waiter;
            _waiter = null;
        }

        waiter?.TrySetResult();
    }

    /// <summary>Takes one credit, waiting for it if there is none.</summary>
    /// <returns>False when none came in time.</returns>
    public async ValueTask<bool> TakeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task next;
            lock (_lock)
            {
                if (_capacity == 0) return true;
                if (_credits > 0)
                {
                    _credits--;
                    return true;
                }

                _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                next = _waiter.Task;
            }

            try
            {
                await next.WaitAsync(patience, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }
}
