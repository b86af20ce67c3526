using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Auth;

namespace Piccolo.Api.Auth;

/// <summary>The owner's sessions in all browsers. Mapped inside the group that requires the owner.</summary>
internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder owner)
    {
        var sessions = owner.MapGroup("/sessions");
        sessions.MapGet("", List).WithName("ListSessions").WithSummary("The sessions in force, the newest first.");
        sessions.MapDelete("", EndOthers).IsLocalWrite("sessions belong to one node").WithName("EndOtherSessions")
            .WithSummary("Ends every session but the one that asks.");
        sessions.MapDelete("/{id}", End).IsLocalWrite("sessions belong to one node").WithName("EndSession").WithSummary("Ends one session at once.");
    }

    private static Ok<SessionsResponse> List(HttpContext http, SessionTable sessions)
    {
        var own = OwnHandle(http);
        return TypedResults.Ok(new SessionsResponse([.. sessions.List().Select(s => s.ToResponse(s.Handle == own))]));
    }

    private static Ok<MessageResponse> EndOthers(HttpContext http, SessionTable sessions)
    {
        sessions.EndOthers(OwnHandle(http));
        http.Audit(AuditKinds.SessionRevoked, ("session", "others"));
        return TypedResults.Ok(new MessageResponse("other sessions ended"));
    }

    private static Results<Ok<MessageResponse>, ProblemHttpResult> End(string id, HttpContext http, SessionTable sessions)
    {
        if (!sessions.EndByHandle(id)) return Problems.NotFound("such session");
        http.Audit(AuditKinds.SessionRevoked, ("session", id));
        if (id == OwnHandle(http)) SessionCookie.Clear(http);
        return TypedResults.Ok(new MessageResponse("session ended"));
    }

    private static string? OwnHandle(HttpContext http) => http.Owner() is OwnerIdentity.Browser browser ? browser.Session.Handle : null;
}
