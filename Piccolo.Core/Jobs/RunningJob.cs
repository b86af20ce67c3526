using Piccolo.Core.Primitives;

namespace Piccolo.Core.Jobs;

/// <summary>A job of the table: its present moment, who waits for the next one, and the way to stop it.</summary>
// The source is never disposed: it has no timer, and whoever cancels late must not find it gone.
#pragma warning disable CA1001
internal sealed class RunningJob(string group, Job job) : IProgress<JobProgress>
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Job _now = job;

    public string Group => group;

    public Job Now => Volatile.Read(ref _now);

    public ChangeSignal Changed { get; } = new();

    public CancellationToken Cancelled => _stop.Token;

    public Task Work { get; set; } = Task.CompletedTask;

    /// <summary>Why the appliance stopped it; null when its owner did.</summary>
    public JobError? StoppedFor { get; private set; }

    public void Cancel(JobError? why = null)
    {
        if (Now.HasEnded) return;
        StoppedFor ??= why;
        _stop.Cancel();
    }

    public void Report(JobProgress value) => Update(j => j with { Progress = value });

    /// <summary>An ended job does not change any more.</summary>
    public void Update(Func<Job, Job> change)
    {
        lock (_gate)
        {
            if (_now.HasEnded) return;
            Volatile.Write(ref _now, change(_now));
        }
        Changed.Raise();
    }
}
