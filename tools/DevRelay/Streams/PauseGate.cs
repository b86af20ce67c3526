namespace Piccolo.DevRelay.Streams;

/// <summary>Holds back reads from a user while the backend asked for a pause. Idempotent both ways. Thread-safe.</summary>
internal sealed class PauseGate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _paused;

    public bool IsPaused
    {
        get
        {
            lock (_lock) return _paused is not null;
        }
    }

    public void Pause()
    {
        lock (_lock) _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Resume()
    {
        TaskCompletionSource? paused;
        lock (_lock)
        {
            paused = _paused;
            _paused = null;
        }

        paused?.TrySetResult();
    }

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        lock (_lock) return _paused?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;
    }
}
