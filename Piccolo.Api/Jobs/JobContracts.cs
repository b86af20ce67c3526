using System.Globalization;
using Piccolo.Api.Http;
using Piccolo.Core.Jobs;

namespace Piccolo.Api.Jobs;

/// <param name="Done">Bytes or pieces.</param>
/// <param name="Percent">0 to 100; absent while the total is not known.</param>
public sealed record JobProgressResponse(string Phase, long Done, long? Total, int? Percent);

/// <summary>Why it failed or was interrupted, as a problem (RFC 9457) has it.</summary>
public sealed record JobErrorResponse(string Type, string Title, string Code, string Detail);

/// <summary>A part of the work, such as <c>Fetch images</c>.</summary>
/// <param name="Since">When it came to that state.</param>
public sealed record JobStepResponse(string Name, StepState State, DateTimeOffset Since);

/// <param name="Kind">Such as <c>app.install</c>, <c>app.start</c>, <c>app.stop</c>, <c>app.remove</c>, <c>export_full</c>.</param>
/// <param name="Subject">The app's name; absent where the kind says it all.</param>
/// <param name="State"><c>interrupted</c>: the appliance was locked or ended, or a later command wants something else.</param>
/// <param name="Detail">What was seen last; absent when all is said.</param>
/// <param name="Steps">In their order; empty where the work has no parts.</param>
/// <param name="Cancellable">Whether DELETE would take it back now.</param>
/// <param name="Result">Once succeeded: the id of what it made, or the app's name.</param>
public sealed record JobResponse(
    string Id, string Kind, string? Subject, JobState State, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt,
    JobProgressResponse Progress, string? Detail, IReadOnlyList<JobStepResponse> Steps, bool Cancellable, string? Result, JobErrorResponse? Error);

public sealed record JobsResponse(IReadOnlyList<JobResponse> Jobs);

internal static class JobMapping
{
    public static JobResponse ToResponse(this Job job) => new(
        job.Id, job.Kind, job.Subject, job.State, job.CreatedAt, job.EndedAt, job.Progress.ToResponse(), job.Detail,
        [.. job.Steps.Select(s => new JobStepResponse(s.Name, s.State, s.Since))], job.IsCancellable && !job.HasEnded, job.Result, job.Error?.ToResponse());

    public static string ToPath(this Job job) => string.Create(CultureInfo.InvariantCulture, $"/api/v1/jobs/{job.Id}");

    private static JobErrorResponse ToResponse(this JobError error) =>
        new(Problems.TypeOf(error.Code), $"{char.ToUpperInvariant(error.Code[0])}{error.Code[1..].Replace('_', ' ')}", error.Code, error.Detail);

    private static JobProgressResponse ToResponse(this JobProgress progress) => new(
        progress.Phase, progress.Done, progress.Total,
        progress.Total is > 0 and var total ? (int)Int128.Clamp((Int128)progress.Done * 100 / total, 0, 100) : null);
}
