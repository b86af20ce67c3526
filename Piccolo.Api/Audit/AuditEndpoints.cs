using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;

namespace Piccolo.Api.Audit;

/// <summary>Who did what.</summary>
internal static class AuditEndpoints
{
    private const int DefaultPage = 100;

    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/system/audit").WithTags("system").RequireUnlocked().RequireOwner();
        group.MapGet("", Page).WithName("ListAuditEntries").WithSummary("The audit log, newest first; 'before' of an answer leads to the next page.");
        group.MapPost("/verify", Verify).IsLocalWrite("changes nothing").WithName("VerifyAudit").WithSummary("Walks the log's hash chain.");
    }

    private static Results<Ok<AuditResponse>, ProblemHttpResult> Page(int? limit, long? before, AuditLog audit)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (limit is < 1 or > AuditLog.MaxPageEntries) errors["limit"] = [$"must lie between 1 and {AuditLog.MaxPageEntries}"];
        if (before is < 1) errors["before"] = ["must be a sequence number"];
        if (errors.Count > 0) return Problems.Invalid("invalid_request", "Invalid request", errors);
        var size = limit ?? DefaultPage;
        var page = audit.Page(size, before);
        var hasMore = page.Count == size && page[^1].Sequence > 1;
        return TypedResults.Ok(new AuditResponse([.. page.Select(e => e.ToResponse())], hasMore ? page[^1].Sequence : null));
    }

    private static Ok<AuditVerificationResponse> Verify(AuditLog audit)
    {
        var found = audit.Verify();
        return TypedResults.Ok(new AuditVerificationResponse(found.Whole, found.Entries, found.First, found.Broken));
    }
}
