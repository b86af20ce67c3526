using System.Diagnostics;
using System.Text;

namespace Piccolo.Core.Volumes;

/// <summary>The running gocryptfs of one mounted volume. Thread-safe.</summary>
internal sealed class VolumeServer : IDisposable
{
    private const int KeptWords = 2000;
    private const string ReadyWords = "Filesystem mounted and ready";
    private readonly Process _process;
    private readonly StringBuilder _words = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public VolumeServer(string id, Process process)
    {
        (Id, _process, ProcessId) = (id, process, process.Id);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.Exited += (_, _) => _exited.TrySetResult();
        process.EnableRaisingEvents = true;
    }

    public string Id { get; }

    public int ProcessId { get; }

    /// <summary>Ends when it has said that the mount can be used; never, where it cannot be.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Ends with the process.</summary>
    public Task Exited => _exited.Task;

    public bool IsRunning => !Exited.IsCompleted;

    /// <summary>Of a process that has ended.</summary>
    public int ExitCode => _process.ExitCode;

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
    public async Task KillAsync()
    {
        // Ended meanwhile: that is what was wanted.
        if (IsRunning && !_process.HasExited) _process.Kill();
        await Exited;
    }

    public void Dispose() => _process.Dispose();

    private void Keep(string? line)
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
