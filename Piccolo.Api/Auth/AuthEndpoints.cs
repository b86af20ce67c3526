using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Api.Vault;
using Piccolo.Core.Audit;
using Piccolo.Core.Auth;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Auth;

/// <summary>The owner's browser sessions.</summary>
internal static class AuthEndpoints
{
    private const string Owner = "admin";

    public static RouteGroupBuilder MapAuth(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/auth").WithTags("auth");
        group.MapGet("/session", GetSession).WithName("GetSession").WithSummary("Whether this browser is logged in.");
        group.MapGet("/initialized", GetInitialized).WithName("GetInitialized").WithSummary("Whether the appliance has an owner.");
        group.MapPost("/login", LogInAsync).RequireSameOrigin().IsLocalWrite("sessions belong to one node")
            .WithName("LogIn").WithSummary("Logs in, unlocking the appliance if need be.");
        group.MapPost("/setup", VaultEndpoints.SetUpAsync).RequireSameOrigin().IsLocalWrite("each node has its own key set")
            .WithName("SetUpOwner").WithSummary("The same as POST /crypto/setup: there is one password.");
        var owner = group.MapGroup("").RequireUnlocked().RequireOwner();
        owner.MapGet("/csrf", GetCsrf).WithName("GetCsrfToken").WithSummary("The token that this session's writes must carry.");
        owner.MapPost("/logout", LogOut).IsLocalWrite("sessions belong to one node").WithName("LogOut").WithSummary("Ends this session.");
        owner.MapPassword();
        owner.MapSessions();
        owner.MapTokens();
        return group;
    }

    private static Ok<SessionResponse> GetSession(HttpContext http, SessionTable sessions, ApplianceVault vault, TimeProvider time)
    {
        var session = SessionCookie.Find(http, sessions)?.Session;
        return TypedResults.Ok(new SessionResponse(
            session is not null, session is null ? "" : Owner, session?.ExpiresAt ?? time.GetUtcNow(), vault.State is VaultState.Locked or VaultState.Faulted,
            vault.Keys.PasswordStale, vault.Keys.RecoveryStale));
    }

    private static Ok<InitializedResponse> GetInitialized(ApplianceVault vault) =>
        TypedResults.Ok(new InitializedResponse(vault.State != VaultState.Unclaimed));

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> LogInAsync(
        RequestBody<LoginRequest> body, OwnerPassword owner, SessionTable sessions, HealthTracker health, HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var epoch = sessions.Epoch;
        var answer = request.Username!.Trim() == Owner
            ? await owner.UnlockAsync(http.GuessSource(), request.Password!, cancellationToken)
            : await owner.RefuseAsync(http.GuessSource(), cancellationToken);
        if (answer.ToProblem(http, health) is { } refused) return http.AuditRefusal(AuditKinds.LoginFailed, answer, refused);
        http.Audit(AuditKinds.LoggedIn);
        SessionCookie.Begin(http, sessions, epoch);
        return TypedResults.Ok(MessageResponse.Ok);
    }

    private static Results<Ok<CsrfResponse>, ProblemHttpResult> GetCsrf(HttpContext http) => http.Owner() is OwnerIdentity.Browser browser
        ? TypedResults.Ok(new CsrfResponse(browser.Session.CsrfToken))
        : Problems.Of(StatusCodes.Status400BadRequest, "no_session", "No session", "A bearer token needs no CSRF token.");

    private static Ok<MessageResponse> LogOut(HttpContext http, SessionTable sessions)
    {
        http.Audit(AuditKinds.LoggedOut);
        if (http.Owner() is OwnerIdentity.Browser browser) sessions.End(browser.SessionId);
        SessionCookie.Clear(http);
        return TypedResults.Ok(MessageResponse.Ok);
    }
}
