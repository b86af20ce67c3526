using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

internal static class VaultProblems
{
    /// <returns>Null when the attempt succeeded.</returns>
    public static ProblemHttpResult? ToProblem(this VaultOutcome outcome, HealthTracker health) => outcome switch
    {
        VaultOutcome.Done => null,
        VaultOutcome.WrongPassword => Problems.Of(StatusCodes.Status401Unauthorized, "wrong_password", "Unauthorized", "The password is wrong."),
        VaultOutcome.NotSetUp => Problems.SetupRequired(),
        VaultOutcome.AlreadySetUp => Problems.Of(StatusCodes.Status409Conflict, "already_initialized", "Already set up", "The appliance already has an owner, or a store that needs its old key set."),
        _ => StorageFault(health),
    };

    public static ProblemHttpResult StorageFault(HealthTracker health) => Problems.Of(StatusCodes.Status503ServiceUnavailable, "storage_fault", "Storage fault",
        health.Snapshot.Faults.Values.FirstOrDefault()?.Detail ?? "The storage of the appliance does not work.", "See GET /api/v1/health/detail.");
}
