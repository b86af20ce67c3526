using System.Buffers.Text;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Jobs;

/// <summary>
/// Work that outlives the request which asked for it. In memory: a restart forgets jobs, and whatever one makes must be whole or absent without it. At most
/// one job of a kind's group runs at a time; the last outcomes are kept. Thread-safe.
/// </summary>
public sealed class JobTable(TimeProvider time, ILogger<JobTable> logger) : IHostedService
{
    /// <summary>Ended jobs that are remembered.</summary>
    public const int KeptOutcomes = 50;

    private readonly Lock _gate = new();
    private ImmutableSortedDictionary<long, RunningJob> _jobs = ImmutableSortedDictionary<long, RunningJob>.Empty;
    private long _next;
    private bool _stopping;

    /// <summary>Raised when a job has ended.</summary>
    public ChangeSignal Ended { get; } = new();

    /// <param name="group">Jobs of one group never run together.</param>
    /// <param name="work">Reports progress, honours cancellation, and returns the id of what it made.</param>
    /// <returns>The new job; or, with <c>Started</c> false, the one of its group that runs.</returns>
    public (Job Job, bool Started) Start(string kind, string group, Func<IProgress<JobProgress>, CancellationToken, Task<string?>> work)
    {
        RunningJob running;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (_jobs.Values.FirstOrDefault(j => j.Group == group && !j.Now.HasEnded) is { } busy) return (busy.Now, false);
            var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
            running = new RunningJob(group, new Job(id, kind, JobState.Running, time.GetUtcNow(), null, new JobProgress("starting"), null, null));
            var jobs = _jobs.Add(_next++, running);
            foreach (var old in jobs.Where(j => j.Value.Now.HasEnded).SkipLast(KeptOutcomes).ToList()) jobs = jobs.Remove(old.Key);
            Volatile.Write(ref _jobs, jobs);
            running.Work = Task.Run(() => RunAsync(running, work));
        }
        return (running.Now, true);
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<Job> List() => [.. Volatile.Read(ref _jobs).Values.Reverse().Select(j => j.Now)];

    public Job? Find(string id) => FindRunning(id)?.Now;

    /// <summary>Asks a job to stop. It has stopped when its state says so.</summary>
    /// <returns>The job, or null when there is none; an ended one stays as it is.</returns>
    public Job? Cancel(string id)
    {
        if (FindRunning(id) is not { } job) return null;
        job.Cancel();
        return job.Now;
    }

    /// <summary>Asks every running job to stop. It then counts as failed, for this reason.</summary>
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
        foreach (var job in jobs) job.Cancel();
        await Task.WhenAll(jobs.Select(j => j.Work)).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private RunningJob? FindRunning(string id) => Volatile.Read(ref _jobs).Values.FirstOrDefault(j => j.Now.Id == id);

    private async Task RunAsync(RunningJob job, Func<IProgress<JobProgress>, CancellationToken, Task<string?>> work)
    {
        try
        {
            var result = await work(job, job.Cancelled);
            End(job, JobState.Succeeded, result, null);
        }
        catch (OperationCanceledException) when (job.Cancelled.IsCancellationRequested)
        {
            End(job, job.StoppedFor is null ? JobState.Cancelled : JobState.Failed, null, job.StoppedFor);
        }
        catch (JobFailedException e)
        {
            End(job, JobState.Failed, null, new JobError(e.Code, e.Message));
        }
        catch (Exception e)
        {
            logger.JobCrashed(e, job.Now.Kind);
            End(job, JobState.Failed, null, new JobError("internal_error", "Something went wrong in the appliance; its log has the details."));
        }
    }

    private void End(RunningJob job, JobState state, string? result, JobError? error)
    {
        job.Update(j => j with { State = state, EndedAt = time.GetUtcNow(), Result = result, Error = error });
        Ended.Raise();
        logger.JobEnded(job.Now.Kind, state, error?.Code);
    }
}
