using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Auth;
using Piccolo.Api.Http;
using Piccolo.Core.Audit;
using Piccolo.Core.Certificates;

namespace Piccolo.Api.Certificates;

/// <summary>The certificates that the appliance holds or wants.</summary>
internal static class CertificateEndpoints
{
    public static void MapCertificates(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/remote/certificates").WithTags("certificates").RequireUnlocked().RequireOwner();
        group.MapGet("", List).WithName("ListCertificates").WithSummary("Every wanted certificate with what is held and what failed.");
        group.MapPost("/{id}/renew", Renew).RequireLeader().WithName("RenewCertificate").WithSummary("Orders anew although the one that is held may last.");
        group.MapPost("/{id}/rekey", Rekey).RequireLeader().WithName("RekeyCertificate").WithSummary("Orders anew with another key; once that serves, the old certificate is revoked.");
        group.MapGet("/{id}/story", Story).WithName("CertificateStory").WithSummary("What was said to the certificate authority in the last orders, secrets masked.");
    }

    private static Ok<CertificatesResponse> List(CertificateInventory inventory) =>
        TypedResults.Ok(new CertificatesResponse([.. inventory.List().Select(c => c.ToResponse())]));

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Renew(string id, RenewalScheduler scheduler, HttpContext http)
    {
        if (!scheduler.RenewNow(id)) return Problems.NotFound($"certificate '{id}'");
        http.Audit(AuditKinds.CertificateRenewal, ("certificate", id));
        return TypedResults.Ok(new MessageResponse("renewal queued"));
    }

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Rekey(string id, RenewalScheduler scheduler, HttpContext http)
    {
        if (!scheduler.RekeyNow(id)) return Problems.NotFound($"certificate '{id}'");
        http.Audit(AuditKinds.CertificateRekey, ("certificate", id));
        return TypedResults.Ok(new MessageResponse("rekey queued; the old certificate is revoked once the new one serves"));
    }

    private static Results<Ok<StoryResponse>, ProblemHttpResult> Story(string id, CertificateInventory inventory) =>
        inventory.Story(id) is { } orders
            ? TypedResults.Ok(new StoryResponse(id, [.. orders.Select(o => o.ToResponse())]))
            : Problems.NotFound($"certificate '{id}'");
}
