using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Core.Health;

namespace Piccolo.Api.Health;

/// <summary>For the operating system's health checker, monitoring and people.</summary>
internal static class HealthEndpoints
{
    /// <summary>Health checkers ask often and the answer changes rarely: it is made once for each snapshot.</summary>
    private static readonly ConditionalWeakTable<HealthSnapshot, ReadyResponse> Answers = [];

    public static RouteGroupBuilder MapHealth(this IEndpointRouteBuilder routes, string namePrefix = "")
    {
        var group = routes.MapGroup("/health").WithTags("health");
        group.MapGet("/live", GetLive).WithName(namePrefix + "GetLive").WithSummary("Whether the process answers.");
        group.MapGet("/ready", GetReady).WithName(namePrefix + "GetReady")
            .WithSummary("503 while a fatal fault of persistence or crypto is latched; lock and role are no faults.")
            .Produces<ReadyResponse>(StatusCodes.Status503ServiceUnavailable);
        return group;
    }

    public static void MapHealthDetail(this RouteGroupBuilder group) =>
        group.MapGet("/detail", GetDetail).WithName("GetHealthDetail").WithSummary("Every component and every latched fault.");

    private static Ok<LiveResponse> GetLive() => TypedResults.Ok(new LiveResponse("live"));

    private static JsonHttpResult<ReadyResponse> GetReady(HealthTracker health)
    {
        var ready = Answers.GetValue(health.Snapshot, HealthMapping.ToReady);
        return TypedResults.Json(ready, statusCode: ready.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static Ok<HealthDetailResponse> GetDetail(HealthTracker health) => TypedResults.Ok(health.Snapshot.ToDetail());
}
