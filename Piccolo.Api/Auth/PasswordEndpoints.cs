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

/// <summary>Changing the one password that both unlocks and logs in. Mapped inside the group that requires the owner.</summary>
internal static class PasswordEndpoints
{
    public static void MapPassword(this IEndpointRouteBuilder owner)
    {
        var writes = owner.MapGroup("").RequireLeader();
        writes.MapPost("/password", ChangeAsync).WithName("ChangePassword")
            .WithSummary("Changes the password. All sessions end; this browser gets a new one. Tokens stay unless they are to be revoked.");
        writes.MapPost("/staleness/ack", AcknowledgeAsync).WithName("AcknowledgeStaleness")
            .WithSummary("Puts away the warnings after a reset with the recovery words.");
    }

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> ChangeAsync(
        RequestBody<ChangePasswordRequest> body, OwnerPassword owner, SessionTable sessions, HealthTracker health,
        HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var answer = await owner.ChangeAsync(http.GuessSource(), request.OldPassword!, request.NewPassword!, request.RevokeTokens == true);
        var refused = answer.ToWeakProblem("new_password", request.NewPassword!) ?? answer.ToProblem(http, health);
        if (refused is not null) return http.AuditRefusal(AuditKinds.PasswordChangeFailed, answer, refused);
        http.Audit(AuditKinds.PasswordChanged, ("tokens", request.RevokeTokens == true ? "revoked" : "kept"));
        if (http.Owner() is OwnerIdentity.Browser) SessionCookie.Begin(http, sessions, sessions.Epoch);
        return TypedResults.Ok(MessageResponse.Ok);
    }

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> AcknowledgeAsync(
        RequestBody<StalenessRequest> body, ApplianceVault vault, HealthTracker health, HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var outcome = await vault.AcknowledgeAsync(request.Password == true, request.Recovery == true, CancellationToken.None);
        if (outcome.ToProblem(health) is { } refused) return refused;
        http.Audit(AuditKinds.StalenessAcknowledged);
        return TypedResults.Ok(MessageResponse.Ok);
    }
}
