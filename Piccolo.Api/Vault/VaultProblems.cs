using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Core.Auth;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

internal static class VaultProblems
{
    /// <returns>Null when the attempt succeeded.</returns>
    public static ProblemHttpResult? ToProblem(this GuessAnswer answer, HttpContext http, HealthTracker health)
    {
        if (answer.Outcome is not { } outcome) return TooManyAttempts(http, answer.RetryAfter);
        if (outcome == VaultOutcome.Restarting) http.Response.Headers.RetryAfter = "2";
        return outcome.ToProblem(health);
    }

    /// <returns>Null when the attempt succeeded.</returns>
    public static ProblemHttpResult? ToProblem(this VaultOutcome outcome, HealthTracker health) => outcome switch
    {
        VaultOutcome.Done => null,
        VaultOutcome.WrongPassword => Problems.Of(StatusCodes.Status401Unauthorized, "wrong_password", "Unauthorized", "The password is wrong."),
        VaultOutcome.WrongRecoveryKey =>
            Problems.Of(StatusCodes.Status401Unauthorized, "wrong_recovery_key", "Unauthorized", "These words are not this appliance's recovery key."),
        VaultOutcome.NoRecoveryKey =>
            Problems.Of(StatusCodes.Status401Unauthorized, "no_recovery_key", "Unauthorized", "No recovery key was ever made for this appliance."),
        VaultOutcome.WrongSetupCode => Problems.Forbidden("wrong_setup_code", "The set-up code is missing or wrong.",
            "Read it on the appliance's console or in its log, and send it as setup_code."),
        VaultOutcome.WeakPassword => Problems.Of(StatusCodes.Status400BadRequest, "weak_password", "Weak password", "The new password is too easy to guess."),
        VaultOutcome.NotSetUp => Problems.SetupRequired(),
        VaultOutcome.AlreadySetUp => Problems.Of(StatusCodes.Status409Conflict, "already_initialized", "Already set up",
            "The appliance already has an owner, or a store that needs its old key set."),
        VaultOutcome.Locked => Problems.Locked(),
        VaultOutcome.NotStored => Problems.Of(StatusCodes.Status503ServiceUnavailable, "storage_fault", "Storage fault",
            "The key set could not be written to the disk. Nothing was changed.", "Look at the disk's free space and state, then try again."),
        VaultOutcome.Restarting => Problems.Of(StatusCodes.Status503ServiceUnavailable, "restarting", "Restarting",
            "The appliance was locked and starts afresh.", "Try again in a few seconds."),
        _ => StorageFault(health),
    };

    /// <summary>400 with advice, where the answer says that <paramref name="password"/> is weak.</summary>
    public static ProblemHttpResult? ToWeakProblem(this GuessAnswer answer, string field, string password)
    {
        if (answer.Outcome != VaultOutcome.WeakPassword) return null;
        var advice = PasswordPolicy.Advise(password) ?? "Choose a longer password.";
        var problem = Problems.Details(StatusCodes.Status400BadRequest, "weak_password", "Weak password", "The new password is too easy to guess.", advice);
        problem.Extensions["errors"] = new Dictionary<string, string[]> { [field] = [advice] };
        return TypedResults.Problem(problem);
    }

    /// <summary>For wrong words: what a typing error looks like can be said without opening anything.</summary>
    public static ProblemHttpResult? ToWordsProblem(this GuessAnswer answer, string words)
    {
        if (answer.Outcome != VaultOutcome.WrongRecoveryKey) return null;
        Span<byte> entropy = stackalloc byte[RecoveryPhrase.EntropyLength];
        var error = RecoveryPhrase.TryRead(words, entropy);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(entropy);
        return error is null ? null : Problems.Of(StatusCodes.Status401Unauthorized, "wrong_recovery_key", "Unauthorized", error.Message);
    }

    public static ProblemHttpResult StorageFault(HealthTracker health) => Problems.Of(StatusCodes.Status503ServiceUnavailable, "storage_fault", "Storage fault",
        health.Snapshot.Faults.Values.FirstOrDefault()?.Detail ?? "The storage of the appliance does not work.", "See GET /api/v1/health/detail.");

    private static ProblemHttpResult TooManyAttempts(HttpContext http, TimeSpan retryAfter)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers.RetryAfter = seconds;
        return Problems.Of(StatusCodes.Status429TooManyRequests, "too_many_attempts", "Too many attempts",
            "Too many failed attempts from this address, or too many concurrent ones. This one was not evaluated.", $"Try again in {seconds} s.");
    }
}
