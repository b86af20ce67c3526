using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Jobs;

namespace Piccolo.Api.Jobs;

/// <summary>Work that outlives the request which asked for it.</summary>
internal static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/jobs").WithTags("jobs").RequireUnlocked().RequireOwner();
        group.MapGet("", List).WithName("ListJobs")
            .WithSummary("Running jobs and the last outcomes, newest first; with subject=NAME those about one app.");
        group.MapGet("/{id}", Find).WithName("GetJob").WithSummary("One job as it is now.");
        group.MapGet("/{id}/events", Watch).WithName("WatchJob").WithSummary("Server-sent events: the job at each change, to its end.")
            .Produces<JobResponse>(StatusCodes.Status200OK, "text/event-stream");
        group.MapDelete("/{id}", Cancel).IsLocalWrite("jobs run on one node").WithName("CancelJob")
            .WithSummary("Asks a job to stop; an ended one stays as it is. 409 where it cannot be cancelled: an app's installation can while images are "
                + "fetched, and the app is again as it was before.").ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static Ok<JobsResponse> List(JobTable jobs, string? subject = null) =>
        TypedResults.Ok(new JobsResponse([.. jobs.List().Where(j => subject is null || j.Subject == subject).Select(j => j.ToResponse())]));

    private static Results<Ok<JobResponse>, ProblemHttpResult> Find(string id, JobTable jobs) =>
        jobs.Find(id) is { } job ? TypedResults.Ok(job.ToResponse()) : NoSuchJob(id);

    private static Results<Ok<JobResponse>, ProblemHttpResult> Cancel(string id, JobTable jobs, HttpContext http)
    {
        if (jobs.Find(id) is not { } before) return NoSuchJob(id);
        var (outcome, job) = jobs.Cancel(id);
        if (job is null) return NoSuchJob(id);
        if (outcome == CancelOutcome.NotCancellable)
            return Problems.Of(StatusCodes.Status409Conflict, "not_cancellable", "Not cancellable", $"The job '{job.Kind}' cannot be cancelled now.",
                job.Subject is null ? null : $"Say what is wanted of the app '{job.Subject}' instead: start, stop or remove it.");
        if (!before.HasEnded) http.Audit(AuditKinds.JobCancelled, ("job", job.Id), ("kind", job.Kind), ("subject", job.Subject));
        return TypedResults.Ok(job.ToResponse());
    }

    private static Results<ServerSentEventsResult<JobResponse>, ProblemHttpResult> Watch(string id, JobTable jobs, CancellationToken cancellationToken)
    {
        if (jobs.Find(id) is null) return NoSuchJob(id);
        return TypedResults.ServerSentEvents(EventsAsync(jobs, id, cancellationToken));
    }

    private static async IAsyncEnumerable<SseItem<JobResponse>> EventsAsync(
        JobTable jobs, string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var job in jobs.WatchAsync(id, cancellationToken))
            yield return new SseItem<JobResponse>(job.ToResponse(), job.HasEnded ? "ended" : "progress");
    }

    private static ProblemHttpResult NoSuchJob(string id) => Problems.NotFound($"job '{id}'");
}
