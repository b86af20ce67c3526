using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Jobs;

namespace Piccolo.Api.Jobs;

/// <summary>Work that outlives the request which asked for it.</summary>
internal static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/jobs").WithTags("jobs").RequireUnlocked().RequireOwner();
        group.MapGet("", List).WithName("ListJobs").WithSummary("Running jobs and the last outcomes, newest first.");
        group.MapGet("/{id}", Find).WithName("GetJob").WithSummary("One job as it is now.");
        group.MapGet("/{id}/events", Watch).WithName("WatchJob").WithSummary("Server-sent events: the job at each change, to its end.")
            .Produces<JobResponse>(StatusCodes.Status200OK, "text/event-stream");
        group.MapDelete("/{id}", Cancel).IsLocalWrite("jobs run on one node").WithName("CancelJob")
            .WithSummary("Asks a job to stop; an ended one stays as it is.");
    }

    private static Ok<JobsResponse> List(JobTable jobs) => TypedResults.Ok(new JobsResponse([.. jobs.List().Select(j => j.ToResponse())]));

    private static Results<Ok<JobResponse>, ProblemHttpResult> Find(string id, JobTable jobs) =>
        jobs.Find(id) is { } job ? TypedResults.Ok(job.ToResponse()) : NoSuchJob(id);

    private static Results<Ok<JobResponse>, ProblemHttpResult> Cancel(string id, JobTable jobs) =>
        jobs.Cancel(id) is { } job ? TypedResults.Ok(job.ToResponse()) : NoSuchJob(id);

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
