using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Api.Vault;
using Piccolo.Core.Audit;
using Piccolo.Core.Auth;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;

namespace Piccolo.Api.Auth;

/// <summary>Bearer tokens for scripts. Mapped inside the group that requires the owner.</summary>
internal static class TokenEndpoints
{
    public static void MapTokens(this IEndpointRouteBuilder owner)
    {
        var tokens = owner.MapGroup("/tokens");
        tokens.MapGet("", List).WithName("ListTokens").WithSummary("The tokens that are in force, without their secrets.");
        var writes = tokens.MapGroup("").RequireLeader();
        writes.MapPost("", CreateAsync).WithName("CreateToken")
            .WithSummary("Makes a token; it is shown once. Without the password it ends with the session or the token that made it.");
        writes.MapDelete("/{id}", Revoke).WithName("RevokeToken").WithSummary("Revokes a token, and those that it made, at once.");
    }

    private static Ok<TokensResponse> List(ApiTokenStore tokens) => TypedResults.Ok(new TokensResponse([.. tokens.List().Select(t => t.ToResponse())]));

    private static async Task<Results<Created<CreatedTokenResponse>, ProblemHttpResult>> CreateAsync(
        RequestBody<CreateTokenRequest> body, ApiTokenStore tokens, OwnerPassword owner, HealthTracker health, TimeProvider time,
        HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        DateTimeOffset? expiresAt = request.ExpiresInDays is { } days ? time.GetUtcNow().AddDays(days) : null;
        var scope = request.Scope ?? TokenScope.Write;
        string? session = null, parent = null;
        if (!string.IsNullOrEmpty(request.Password))
        {
            var answer = await owner.CheckAsync(http.GuessSource(), request.Password);
            if (answer.ToProblem(http, health) is { } refused) return http.AuditRefusal(AuditKinds.TokenFailed, answer, refused);
        }
        else if (http.Owner() is OwnerIdentity.Script { Token: var asking })
        {
            if (IsMore(asking, scope, expiresAt))
                return Problems.PasswordRequired("Creating a token with a broader scope or a later expiry requires the password.");
            (session, parent) = (asking.Session, asking.Id);
        }
        else if (http.Owner() is OwnerIdentity.Browser { Session: var own })
        {
            if (expiresAt > own.LatestEnd) return Problems.PasswordRequired("Creating a token that outlives the session requires the password.");
            (session, expiresAt) = (own.Handle, own.LatestEnd);
        }
        if (tokens.Create(request.Name!, scope, expiresAt, session, parent) is not var (token, record))
            return Problems.Of(StatusCodes.Status409Conflict, "too_many_tokens", "Too many tokens", $"There are {ApiTokenStore.MaxTokens} tokens already.",
                "Revoke one that is not used.");
        http.Audit(AuditKinds.TokenCreated, ("token", record.Id), ("name", record.Name));
        return TypedResults.Created($"/api/v1/auth/tokens/{record.Id}",
            new CreatedTokenResponse(record.Id, record.Name, record.Scope, record.CreatedAt, record.ExpiresAt, token));
    }

    /// <summary>A stolen token must not outlive itself.</summary>
    private static bool IsMore(ApiToken asking, TokenScope scope, DateTimeOffset? expiresAt) =>
        scope > asking.Scope || (asking.ExpiresAt is { } end && (expiresAt is null || expiresAt > end));

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Revoke(string id, ApiTokenStore tokens, HttpContext http)
    {
        if (!tokens.Revoke(id)) return Problems.NotFound("such token");
        http.Audit(AuditKinds.TokenRevoked, ("token", id));
        return TypedResults.Ok(new MessageResponse("token revoked"));
    }
}
