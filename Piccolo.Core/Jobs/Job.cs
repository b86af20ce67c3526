namespace Piccolo.Core.Jobs;

/// <summary>Where a job stands.</summary>
public enum JobState
{
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>How far a running job has come.</summary>
/// <param name="Phase">One or two plain words.</param>
/// <param name="Done">Bytes or pieces; never falls within a phase.</param>
/// <param name="Total">What <paramref name="Done"/> will reach; null while that is not known.</param>
public sealed record JobProgress(string Phase, long Done = 0, long? Total = null);

/// <summary>Why a job failed: a stable code and one plain sentence.</summary>
public sealed record JobError(string Code, string Detail);

/// <summary>One moment of a job.</summary>
/// <param name="Result">Once succeeded: the id of what it made.</param>
public sealed record Job(
    string Id, string Kind, JobState State, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, JobProgress Progress, string? Result, JobError? Error)
{
    public bool HasEnded => State != JobState.Running;
}

/// <summary>An expected end of a job's work: becomes its <see cref="JobError"/>.</summary>
public sealed class JobFailedException(string code, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public string Code { get; } = code;
}
