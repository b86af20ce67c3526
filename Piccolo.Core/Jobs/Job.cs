using System.Collections.Immutable;

namespace Piccolo.Core.Jobs;

/// <summary>Where a job stands.</summary>
public enum JobState
{
    Running,
    Succeeded,
    Failed,

    /// <summary>Whoever may do so took it back.</summary>
    Cancelled,

    /// <summary>The appliance was locked or ended, or a later command wants something else.</summary>
    Interrupted,
}

/// <summary>How far a running job has come.</summary>
/// <param name="Phase">One or two plain words.</param>
/// <param name="Done">Bytes or pieces; never falls within a phase.</param>
/// <param name="Total">What <paramref name="Done"/> will reach; null while that is not known.</param>
public sealed record JobProgress(string Phase, long Done = 0, long? Total = null);

/// <summary>Where a step of a job stands.</summary>
public enum StepState
{
    Waiting,
    Running,
    Done,
    Failed,
}

/// <summary>A part of a job's work.</summary>
/// <param name="Name">A few plain words, such as "Fetch images". Unique within its job.</param>
/// <param name="Since">When it came to that state.</param>
public sealed record JobStep(string Name, StepState State, DateTimeOffset Since);

/// <summary>Why a job failed or was interrupted: a stable code and plain sentences.</summary>
public sealed record JobError(string Code, string Detail);

/// <summary>One moment of a job.</summary>
/// <param name="Result">Once succeeded: the id of what it made.</param>
public sealed record Job(
    string Id, string Kind, JobState State, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, JobProgress Progress, string? Result, JobError? Error)
{
    /// <summary>What it is about, by its name; null where the kind says it all.</summary>
    public string? Subject { get; init; }

    /// <summary>What was seen last, in plain sentences; null where the progress says it all.</summary>
    public string? Detail { get; init; }

    /// <summary>In their order; empty where the work has no parts.</summary>
    public ImmutableArray<JobStep> Steps { get; init; } = [];

    /// <summary>Whether it can be cancelled now.</summary>
    public bool IsCancellable { get; init; } = true;

    public bool HasEnded => State != JobState.Running;
}

/// <summary>What a job is to be.</summary>
/// <param name="Group">Jobs of one group never run together.</param>
public sealed record JobPlan(string Kind, string Group)
{
    public string? Subject { get; init; }

    /// <summary>A job of the group that runs gives way and ends as interrupted, for this reason; null = it stays, and the new one does not start.</summary>
    public JobError? Replaces { get; init; }

    /// <summary>What cancelling takes beyond an end of the work: false = it cannot be cancelled now, and goes on. Null = nothing.</summary>
    public Func<bool>? TakeBack { get; init; }
}

/// <summary>Where the work of a job says how far it is. Thread-safe.</summary>
public interface IJobReport : IProgress<JobProgress>
{
    /// <param name="change">Makes the next moment of this one. Not called once the job has ended.</param>
    void Report(Func<Job, Job> change);
}

/// <summary>An expected end of a job's work: becomes its <see cref="JobError"/>.</summary>
public sealed class JobFailedException(string code, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public string Code { get; } = code;
}

/// <summary>The work has lost its purpose, or cannot be followed any more: the job ends as interrupted.</summary>
public sealed class JobInterruptedException(string code, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public string Code { get; } = code;
}
