using System.Globalization;
using Piccolo.Core.Jobs;

namespace Piccolo.Api.Jobs;

/// <param name="Done">Bytes or pieces.</param>
/// <param name="Percent">0 to 100; absent while the total is not known.</param>
public sealed record JobProgressResponse(string Phase, long Done, long? Total, int? Percent);

public sealed record JobErrorResponse(string Code, string Detail);

/// <param name="Result">Once succeeded: the id of what it made.</param>
public sealed record JobResponse(
    string Id, string Kind, JobState State, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt,
    JobProgressResponse Progress, string? Result, JobErrorResponse? Error);

public sealed record JobsResponse(IReadOnlyList<JobResponse> Jobs);

internal static class JobMapping
{
    public static JobResponse ToResponse(this Job job) => new(
        job.Id, job.Kind, job.State, job.CreatedAt, job.EndedAt, job.Progress.ToResponse(), job.Result,
        job.Error is { } error ? new JobErrorResponse(error.Code, error.Detail) : null);

    public static string ToPath(this Job job) => string.Create(CultureInfo.InvariantCulture, $"/api/v1/jobs/{job.Id}");

    private static JobProgressResponse ToResponse(this JobProgress progress) => new(
        progress.Phase, progress.Done, progress.Total, progress.Total is > 0 and var total ? (int)Math.Clamp(progress.Done * 100 / total, 0, 100) : null);
}
