using Piccolo.Core.Primitives;

namespace Piccolo.Core.Jobs;

/// <summary>A job of the table: its present moment, who waits for the next one, and the way to stop it.</summary>
// The source is never disposed: it has no timer, and whoever cancels late must not find it gone.
#pragma warning disable CA1001
internal sealed class RunningJob(JobPlan plan, Job job) : IJobReport
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Job _now = job;

    public JobPlan Plan => plan;

    public Job Now => Volatile.Read(ref _now);

    public ChangeSignal Changed { get; } = new();

    public CancellationToken Cancelled => _stop.Token;

    public Task Work { get; set; } = Task.CompletedTask;

    /// <summary>Why the appliance stopped it; null when its owner did.</summary>
    public JobError? StoppedFor { get; private set; }

    public void Cancel(JobError? why = null)
    {
        if (_stop.IsCancellationRequested) return;
        StoppedFor ??= why;
        _stop.Cancel();
    }

    public void Report(JobProgress value) => Update(j => j with { Progress = value });

    public void Report(Func<Job, Job> change) => Update(change);

    /// <summary>An ended job does not change any more.</summary>
    /// <returns>Whether it changed.</returns>
    public bool Update(Func<Job, Job> change)
    {
        lock (_gate)
        {
            if (_now.HasEnded) return false;
            var next = change(_now);
            if (next == _now) return false;
            Volatile.Write(ref _now, next);
        }
        Changed.Raise();
        return true;
    }
}
