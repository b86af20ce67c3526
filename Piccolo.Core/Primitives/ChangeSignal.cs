namespace Piccolo.Core.Primitives;

/// <summary>
/// Wakes loops that recompute everything from state. Raising is cheap, never blocks and is never lost:
/// a loop reads <see cref="Version"/> before it works and then waits for a later one. Thread-safe.
/// </summary>
public sealed class ChangeSignal
{
    private long _version;
    private TaskCompletionSource _next = NewSource();

    /// <summary>Grows by one with every <see cref="Raise"/>.</summary>
    public long Version => Volatile.Read(ref _version);

    public void Raise()
    {
        Interlocked.Increment(ref _version);
        Interlocked.Exchange(ref _next, NewSource()).TrySetResult();
    }

    /// <summary>Completes once <see cref="Version"/> differs from <paramref name="seen"/>.</summary>
    public async Task WaitAsync(long seen, CancellationToken cancellationToken)
    {
        while (true)
        {
            // The source is read before the version: a raise between the two completes the source that we hold.
            var next = Volatile.Read(ref _next).Task;
            if (Version != seen) return;
            await next.WaitAsync(cancellationToken);
        }
    }

    /// <summary>As <see cref="WaitAsync(long, CancellationToken)"/>, but also returns after <paramref name="timeout"/>.</summary>
    public async Task WaitAsync(long seen, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(WaitAsync(seen, waiting.Token), Task.Delay(timeout, time, waiting.Token));
        await waiting.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
