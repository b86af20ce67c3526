using System.Text;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>The running gocryptfs of one mounted volume. Thread-safe.</summary>
internal abstract class VolumeServer(string id) : IDisposable
{
    private const int KeptWords = 2000;
    private const string ReadyWords = "Filesystem mounted and ready";
    private readonly StringBuilder _words = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id { get; } = id;

    /// <summary>Ends when it has said that the mount can be used; never, where it cannot be.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Ends with the process.</summary>
    public Task Exited => _exited.Task;

    public bool IsRunning => !Exited.IsCompleted;

    /// <summary>The last of what it printed.</summary>
    public string Words
    {
        get
        {
            lock (_words) return _words.ToString().Trim();
        }
    }

    /// <summary>Whether it has ended within the time.</summary>
    public async Task<bool> EndsWithinAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Exited, Task.Delay(limit, time, waiting.Token));
        await waiting.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return Exited.IsCompleted;
    }

    /// <summary>At once. What was written through it is with the kernel already.</summary>
    public abstract Task KillAsync();

    /// <summary>Lets go of it. The process stays.</summary>
    public void Dispose() => Release();

    protected abstract void Release();

    protected void End() => _exited.TrySetResult();

    /// <param name="line">One line of what it printed; null at the end.</param>
    protected void Hear(string? line)
    {
        if (line is null) return;
        if (line.Contains(ReadyWords, StringComparison.Ordinal))
        {
            _ready.TrySetResult();
            return;
        }
        lock (_words)
        {
            _words.AppendLine(line);
            if (_words.Length > KeptWords) _words.Remove(0, _words.Length - KeptWords);
        }
    }
}
