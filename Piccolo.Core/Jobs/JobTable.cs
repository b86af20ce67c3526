using System.Buffers.Text;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Jobs;

/// <summary>How asking a job to stop went.</summary>
public enum CancelOutcome
{
    NoSuchJob,

    /// <summary>It has stopped when its state says so; an ended one stays as it is.</summary>
    Done,

    /// <summary>It goes on.</summary>
    NotCancellable,
}

/// <summary>
/// Work that outlives the request which asked for it. In memory: a restart forgets jobs, and whatever one makes must be whole or absent without it. At most
/// one job of a kind's group runs at a time; the last outcomes are kept. Thread-safe.
/// </summary>
public sealed class JobTable(TimeProvider time, ILogger<JobTable> logger) : IHostedService
{
    /// <summary>Ended jobs that are remembered.</summary>
    public const int KeptOutcomes = 50;

    /// <summary>Jobs that run at a time, whatever their groups.</summary>
    public const int MaxRunning = 256;

    private static readonly JobError Ending = new("stopping", "The appliance ended before this was finished.");

    private readonly Lock _gate = new();
    private ImmutableSortedDictionary<long, RunningJob> _jobs = ImmutableSortedDictionary<long, RunningJob>.Empty;
    private long _next;
    private bool _stopping;

    /// <summary>Raised when a job has ended.</summary>
    public ChangeSignal Ended { get; } = new();

    /// <param name="group">Jobs of one group never run together.</param>
    /// <param name="work">Reports progress, honours cancellation, and returns the id of what it made.</param>
    /// <returns>The new job; or, with <c>Started</c> false, the one of its group that runs.</returns>
    public (Job Job, bool Started) Start(string kind, string group, Func<IJobReport, CancellationToken, Task<string?>> work)
    {
        var (job, started) = Start(new JobPlan(kind, group), work);
        return (job ?? throw new InvalidOperationException("No job can be started now."), started);
    }

    /// <param name="work">Reports how far it is, honours cancellation, and returns the id of what it made.</param>
    /// <returns>The new job; or, with <c>Started</c> false, the one of its group that runs, or null where too many run or the appliance ends.</returns>
    public (Job? Job, bool Started) Start(JobPlan plan, Func<IJobReport, CancellationToken, Task<string?>> work)
    {
        RunningJob running;
        RunningJob? busy;
        lock (_gate)
        {
            if (_stopping) return (null, false);
            var others = _jobs.Values.Where(j => !j.Now.HasEnded).ToList();
            busy = others.FirstOrDefault(j => j.Plan.Group == plan.Group);
            if (busy is not null && plan.Replaces is null) return (busy.Now, false);
            if (busy is null && others.Count >= MaxRunning) return (null, false);
            // It has ended before the new one begins, whenever its work notices.
            if (busy is not null) End(busy, JobState.Interrupted, null, plan.Replaces);
            running = new RunningJob(plan, NewJob(plan));
            var jobs = _jobs.Add(_next++, running);
            foreach (var old in jobs.Where(j => j.Value.Now.HasEnded).SkipLast(KeptOutcomes).ToList()) jobs = jobs.Remove(old.Key);
            Volatile.Write(ref _jobs, jobs);
            running.Work = Task.Run(() => RunAsync(running, work));
        }
        busy?.Cancel(plan.Replaces);
        return (running.Now, true);
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<Job> List() => [.. Volatile.Read(ref _jobs).Values.Reverse().Select(j => j.Now)];

    public Job? Find(string id) => FindRunning(id)?.Now;

    /// <summary>Asks a job to stop.</summary>
    /// <returns>The job as it is then, where there is one.</returns>
    public (CancelOutcome Outcome, Job? Job) Cancel(string id)
    {
        if (FindRunning(id) is not { } job) return (CancelOutcome.NoSuchJob, null);
        if (job.Now.HasEnded) return (CancelOutcome.Done, job.Now);
        if (job.Plan.TakeBack is { } takeBack && !End(job, JobState.Cancelled, null, null, takeBack))
            return (job.Now.HasEnded ? CancelOutcome.Done : CancelOutcome.NotCancellable, job.Now);
        job.Cancel();
        return (CancelOutcome.Done, job.Now);
    }

    /// <summary>Asks every running job to stop. It is then interrupted, for this reason.</summary>
    public void StopAll(JobError why)
    {
        foreach (var job in Volatile.Read(ref _jobs).Values) job.Cancel(why);
    }

    /// <summary>The job as it is, then each later moment that the reader is quick enough to see, to its end.</summary>
    public async IAsyncEnumerable<Job> WatchAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (FindRunning(id) is not { } job) yield break;
        while (true)
        {
            var seen = job.Changed.Version;
            var now = job.Now;
            yield return now;
            if (now.HasEnded) yield break;
            await job.Changed.WaitAsync(seen, cancellationToken);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_gate) _stopping = true;
        var jobs = Volatile.Read(ref _jobs).Values.ToList();
        foreach (var job in jobs) job.Cancel(Ending);
        await Task.WhenAll(jobs.Select(j => j.Work)).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Job NewJob(JobPlan plan)
    {
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
        return new Job(id, plan.Kind, JobState.Running, time.GetUtcNow(), null, new JobProgress("starting"), null, null) { Subject = plan.Subject };
    }

    private RunningJob? FindRunning(string id) => Volatile.Read(ref _jobs).Values.FirstOrDefault(j => j.Now.Id == id);

    private async Task RunAsync(RunningJob job, Func<IJobReport, CancellationToken, Task<string?>> work)
    {
        try
        {
            var result = await work(job, job.Cancelled);
            End(job, JobState.Succeeded, result, null);
        }
        catch (OperationCanceledException) when (job.Cancelled.IsCancellationRequested)
        {
            End(job, job.StoppedFor is null ? JobState.Cancelled : JobState.Interrupted, null, job.StoppedFor);
        }
        catch (JobFailedException e)
        {
            End(job, JobState.Failed, null, new JobError(e.Code, e.Message));
        }
        catch (JobInterruptedException e)
        {
            End(job, JobState.Interrupted, null, new JobError(e.Code, e.Message));
        }
        catch (Exception e)
        {
            logger.JobCrashed(e, job.Now.Kind);
            End(job, JobState.Failed, null, new JobError("internal_error", "Something went wrong in the appliance; its log has the details."));
        }
    }

    /// <param name="condition">Asked at the last moment, when nothing else can end the job.</param>
    private bool End(RunningJob job, JobState state, string? result, JobError? error, Func<bool>? condition = null)
    {
        var end = job.Now with { State = state, EndedAt = time.GetUtcNow(), Result = result, Error = error, IsCancellable = false };
        if (!job.Update(j => condition?.Invoke() == false ? j : end with { Progress = j.Progress, Steps = j.Steps })) return false;
        Ended.Raise();
        logger.JobEnded(job.Now.Kind, state, error?.Code);
        return true;
    }
}
