using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Audit;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Api.Vault;
using Piccolo.Core.Audit;
using Piccolo.Core.Auth;
using Piccolo.Core.Exports;
using Piccolo.Core.Health;
using Piccolo.Core.Locking;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Exports;

/// <summary>Import has no session to protect it: the conditions of a first claim hold here too.</summary>
internal static class ImportEndpoint
{
    public static async Task<Results<Ok<ImportedResponse>, ProblemHttpResult>> HandleAsync(
        ImportBody body, ImportIntake intake, OwnerPassword owner, HealthTracker health, HttpContext http, CancellationToken cancellationToken)
    {
        if (!http.Origin().IsLocal())
            return Problems.Forbidden("local_only", "An export is imported from the appliance's own network only.");
        // A page of another site could send a form like this; browsers then say where it came from.
        if (!SameOriginFilter.IsSameOrigin(http.Request) || http.Request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site")
            return Problems.Forbidden("cross_origin", "This request comes from a page of another site.");
        if (!intake.IsOpenForImport) return AlreadyClaimed();
        var (form, problem) = await body.OpenAsync(cancellationToken);
        if (form is null) return problem!;
        var answer = await owner.CheckSetupCodeAsync(http.GuessSource(), form.SetupCode);
        if (answer.ToProblem(http, health) is { } refused) return http.AuditRefusal(AuditKinds.ImportRefused, answer, refused);
        // Until the password is asked for nothing is guessed: what is wrong with the file is no wrong guess.
        answer = new GuessAnswer(VaultOutcome.NotSetUp, TimeSpan.Zero);
        var outcome = await intake.ImportAsync(form.Password, form.File, async check =>
            answer = await owner.LimitAsync(http.GuessSource(), check), cancellationToken);
        if (outcome is ImportOutcome.Done done)
        {
            http.Audit(AuditKinds.Imported, ("instance", done.Instance));
            return TypedResults.Ok(done.ToResponse());
        }
        return http.AuditRefusal(AuditKinds.ImportRefused, answer, Refuse(outcome, answer, http, health));
    }

    private static ProblemHttpResult Refuse(ImportOutcome outcome, GuessAnswer answer, HttpContext http, HealthTracker health)
    {
        if (answer.Outcome is null) return answer.ToProblem(http, health)!;
        return outcome switch
        {
            ImportOutcome.AlreadyClaimed => AlreadyClaimed(),
            ImportOutcome.WrongPassword => Problems.Of(
                StatusCodes.Status401Unauthorized, "wrong_password", "Unauthorized",
                "This is neither the password nor the recovery words of this export's key set.",
                "Use the password that the exported appliance had at that time, or its recovery words."),
            ImportOutcome.Busy => Problems.Of(StatusCodes.Status409Conflict, "import_running", "An import is running", "Another import is being read."),
            ImportOutcome.Refused { Code: "export_too_large" } large =>
                Problems.Of(StatusCodes.Status413PayloadTooLarge, large.Code, "Payload too large", large.Detail),
            ImportOutcome.Refused refused => Problems.Of(StatusCodes.Status400BadRequest, refused.Code, "Export refused", refused.Detail),
            ImportOutcome.DiskFault { Code: FaultCode.DiskFull } => StorageFault("The disk is too small for this export.", "Make room, or use a larger disk."),
            _ => StorageFault("The disk takes no writes."),
        };
    }

    private static ProblemHttpResult StorageFault(string detail, string? nextStep = null) =>
        Problems.Of(StatusCodes.Status503ServiceUnavailable, "storage_fault", "Storage fault", detail, nextStep);

    private static ProblemHttpResult AlreadyClaimed() => Problems.Of(StatusCodes.Status409Conflict, "already_initialized", "Already set up",
        "The appliance already has an owner, or data of one.", "Import onto a fresh device, or an empty state directory.");
}
