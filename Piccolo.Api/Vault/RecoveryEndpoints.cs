using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

/// <summary>The way back in for an owner who forgot the password.</summary>
internal static class RecoveryEndpoints
{
    public static void MapRecovery(this IEndpointRouteBuilder crypto)
    {
        crypto.MapPost("/reset-password", ResetAsync).RequireSameOrigin().IsLocalWrite("each node has its own key set")
            .WithName("ResetPassword").WithSummary("Sets a new password with the recovery words. Sessions and bearer tokens end; locked stays locked.");
        var owner = crypto.MapGroup("/recovery-key").RequireUnlocked().RequireOwner();
        owner.MapGet("", GetStatus).WithName("GetRecoveryKey").WithSummary("Whether there is a recovery key, and whether it was used.");
        owner.MapPost("/generate", GenerateAsync).RequireLeader()
            .WithName("GenerateRecoveryKey").WithSummary("Makes a recovery key with the password, replacing the one there is. The 24 words are shown once.");
    }

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> ResetAsync(
        RequestBody<ResetPasswordRequest> body, OwnerPassword owner, HealthTracker health, HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var answer = await owner.ResetAsync(http.GuessSource(), request.RecoveryKey!, request.NewPassword!);
        var refused = answer.ToWeakProblem("new_password", request.NewPassword!) ?? answer.ToWordsProblem(request.RecoveryKey!)
            ?? answer.ToProblem(http, health);
        if (refused is not null) return http.AuditRefusal(AuditKinds.ResetFailed, answer, refused);
        http.Audit(AuditKinds.PasswordReset);
        return TypedResults.Ok(MessageResponse.Ok);
    }

    private static Ok<RecoveryKeyResponse> GetStatus(ApplianceVault vault) =>
        TypedResults.Ok(new RecoveryKeyResponse(vault.Keys.RecoveryPresent, vault.Keys.RecoveryStale));

    private static async Task<Results<Ok<RecoveryWordsResponse>, ProblemHttpResult>> GenerateAsync(
        RequestBody<GenerateRecoveryKeyRequest> body, OwnerPassword owner, HealthTracker health, HttpContext http, CancellationToken cancellationToken)
    {
        GenerateRecoveryKeyRequest? request = null;
        // Clients of version 1 send no body: the response says what is missing.
        if (!IsEmpty(http.Request))
        {
            (request, var problem) = await body.ReadAsync(cancellationToken);
            if (request is null) return problem!;
        }
        // Its words outlive the session or the token, and open everything.
        if (string.IsNullOrEmpty(request?.Password)) return Problems.PasswordRequired("Generating a recovery key requires the password.");
        var (answer, words) = await owner.GenerateRecoveryKeyAsync(http.GuessSource(), request.Password);
        if (answer.ToProblem(http, health) is { } refused) return http.AuditRefusal(AuditKinds.RecoveryKeyFailed, answer, refused);
        http.Audit(AuditKinds.RecoveryKeyRotated);
        return TypedResults.Ok(new RecoveryWordsResponse(words));
    }

    private static bool IsEmpty(HttpRequest request) => request.ContentLength == 0 || (request.ContentLength is null && request.ContentType is null);
}
