using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Auth;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

/// <summary>Claiming, opening and closing the box.</summary>
internal static class VaultEndpoints
{
    public static RouteGroupBuilder MapVault(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/crypto").WithTags("crypto");
        group.MapGet("/status", GetStatus).WithName("GetCryptoStatus")
            .WithSummary("Whether the appliance has an owner, whether it is locked, and what a lock has not ended yet.");
        group.MapPost("/setup", SetUpAsync).RequireSameOrigin().IsLocalWrite("each node has its own key set")
            .WithName("SetUp").WithSummary("Claims the appliance with a password. It stays locked. Only from the owner's own network.");
        group.MapPost("/unlock", UnlockAsync).RequireSameOrigin().IsLocalWrite("each node holds its own data key")
            .WithName("Unlock").WithSummary("Unlocks the appliance and begins a session.");
        group.MapPost("/lock", LockAsync).RequireUnlocked().RequireOwner().IsLocalWrite("each node holds its own data key")
            .WithName("Lock").WithSummary(
                "Locks the appliance: sessions end, apps stop, the tunnel closes, and the daemon starts afresh: it answers again within seconds. "
                + "202 when some of it is still being retried.");
        group.MapRecovery();
        return group;
    }

    private static Ok<CryptoStatusResponse> GetStatus(ApplianceVault vault, LockWatch watch)
    {
        var isLocked = vault.State is VaultState.Locked or VaultState.Faulted;
        return TypedResults.Ok(new CryptoStatusResponse(vault.State != VaultState.Unclaimed, isLocked, watch.Unfinished.ToResponse()));
    }

    /// <summary>Also <c>POST /auth/setup</c>: there is one password, so there is one claim.</summary>
    public static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> SetUpAsync(
        RequestBody<SetUpRequest> body, OwnerPassword owner, HealthTracker health, HttpContext http, CancellationToken cancellationToken)
    {
        if (!http.Origin().IsLocal())
            return Problems.Forbidden("local_only", "The first owner claims the appliance from its own network only.");
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var answer = await owner.SetUpAsync(http.GuessSource(), request.Password!, request.SetupCode);
        var refused = answer.ToWeakProblem("password", request.Password!) ?? answer.ToProblem(http, health);
        if (refused is not null) return http.AuditRefusal(AuditKinds.SetUpFailed, answer, refused);
        http.Audit(AuditKinds.SetUp);
        return TypedResults.Ok(MessageResponse.Ok);
    }

    private static async Task<Results<Ok<MessageResponse>, ProblemHttpResult>> UnlockAsync(
        RequestBody<PasswordRequest> body, OwnerPassword owner, SessionTable sessions, HealthTracker health,
        HttpContext http, CancellationToken cancellationToken)
    {
        var (request, problem) = await body.ReadAsync(cancellationToken);
        if (request is null) return problem!;
        var epoch = sessions.Epoch;
        var answer = await owner.UnlockAsync(http.GuessSource(), request.Password!, cancellationToken);
        if (answer.ToProblem(http, health) is { } refused) return http.AuditRefusal(AuditKinds.UnlockFailed, answer, refused);
        http.Audit(AuditKinds.Unlocked);
        SessionCookie.Begin(http, sessions, epoch);
        return TypedResults.Ok(MessageResponse.Ok);
    }

    /// <summary>All of it also when the caller goes away.</summary>
    private static async Task<Results<Ok<LockResponse>, Accepted<LockResponse>>> LockAsync(
        ApplianceLock box, LockWatch watch, IProcessRestart restart, HttpContext http)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        http.Response.OnCompleted(() =>
        {
            answered.TrySetResult();
            return Task.CompletedTask;
        });
        // Before the store closes, so that it is kept at once.
        http.Audit(AuditKinds.Locked);
        restart.Announce();
        try
        {
            await box.LockAsync(CancellationToken.None);
            SessionCookie.Clear(http);
            var unfinished = await watch.WaitUntilEndedAsync();
            if (unfinished.ToResponse() is not { } rest) return TypedResults.Ok(new LockResponse("ok", null));
            return TypedResults.Accepted("/api/v1/crypto/status", new LockResponse("locked", rest));
        }
        finally
        {
            restart.Request(answered.Task);
        }
    }
}
