using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Api.Certificates;

/// <summary>The certificates that the appliance holds or wants.</summary>
internal static class CertificateEndpoints
{
    public static void MapCertificates(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/remote/certificates").WithTags("certificates").RequireUnlocked().RequireOwner();
        group.MapGet("", List).WithName("ListCertificates").WithSummary("Every wanted certificate with what is held and what failed.");
        group.MapPost("/{id}/renew", Renew).RequireLeader().WithName("RenewCertificate").WithSummary("Orders anew although the one that is held may last.");
        group.MapPost("/{id}/rekey", Rekey).RequireLeader().WithName("RekeyCertificate")
            .WithSummary("Orders anew with another key; once that serves, the old certificate is revoked.");
        group.MapGet("/{id}/story", Story).WithName("CertificateStory")
            .WithSummary("What was said to the certificate authority in the last orders, secrets masked.");
    }

    private static Ok<CertificatesResponse> List(CertificateInventory inventory) =>
        TypedResults.Ok(new CertificatesResponse([.. inventory.List().Select(c => c.ToResponse())]));

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Renew(string id, RenewalScheduler scheduler, HttpContext http)
    {
        if (Refused(id, scheduler, http) is { } refused) return refused;
        if (!scheduler.RenewNow(id)) return Problems.NotFound($"certificate '{id}'");
        http.Audit(AuditKinds.CertificateRenewal, ("certificate", id));
        return TypedResults.Ok(new MessageResponse("renewal queued" + Waiting(id, scheduler)));
    }

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Rekey(string id, RenewalScheduler scheduler, HttpContext http)
    {
        if (Refused(id, scheduler, http) is { } refused) return refused;
        if (!scheduler.RekeyNow(id)) return Problems.NotFound($"certificate '{id}'");
        http.Audit(AuditKinds.CertificateRekey, ("certificate", id));
        return TypedResults.Ok(new MessageResponse("rekey queued; the old certificate is revoked once the new one serves" + Waiting(id, scheduler)));
    }

    /// <summary>Nobody is told that an order is queued which a limit keeps from beginning for hours or days.</summary>
    private static ProblemHttpResult? Refused(string id, RenewalScheduler scheduler, HttpContext http)
    {
        if (scheduler.HeldBack(id) is not { Until: { } until, Limit: var limit }) return null;
        var wait = until - http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        http.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var problem = Problems.Details(StatusCodes.Status409Conflict, "renewal_held_back", "Held back by a limit", NextSteps.HeldBack(limit, until),
            "Wait: the order begins by itself where one is due.");
        problem.Extensions["held_back_by"] = limit;
        problem.Extensions["next_attempt"] = until;
        return TypedResults.Problem(problem);
    }

    private static string Waiting(string id, RenewalScheduler scheduler) => scheduler.HeldBack(id) is null ? "" : "; it waits until the relay serves the name";

    private static Results<Ok<StoryResponse>, ProblemHttpResult> Story(string id, CertificateInventory inventory) =>
        inventory.Transcript(id) is { } orders
            ? TypedResults.Ok(new StoryResponse(id, [.. orders.Select(o => o.ToResponse())]))
            : Problems.NotFound($"certificate '{id}'");
}
