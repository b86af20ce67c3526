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
    }

    private static Ok<CertificatesResponse> List(CertificateInventory inventory) =>
        TypedResults.Ok(new CertificatesResponse([.. inventory.List().Select(c => c.ToResponse())]));

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Renew(string id, RenewalScheduler scheduler, HttpContext http)
    {
        if (!scheduler.RenewNow(id)) return Problems.NotFound($"certificate '{id}'");
        http.Audit(AuditKinds.CertificateRenewal, ("certificate", id));
        return TypedResults.Ok(new MessageResponse("renewal queued"));
    }
}
