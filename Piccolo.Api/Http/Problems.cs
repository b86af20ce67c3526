using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Piccolo.Api.Http;

/// <summary>
/// The one shape of every error: RFC 9457 plus <c>code</c> (stable), <c>error</c> and <c>message</c> (for clients of version 1), <c>next_step</c> where
/// there is one, and <c>errors</c> by field.
/// </summary>
public static class Problems
{
    public const string ContentType = "application/problem+json";

    /// <summary>The type of the problem that has this code.</summary>
    public static string TypeOf(string code) => "urn:piccolo:problem:" + code;

    public static ProblemHttpResult Of(int status, string code, string title, string detail, string? nextStep = null) =>
        TypedResults.Problem(Details(status, code, title, detail, nextStep));

    public static ProblemDetails Details(int status, string code, string title, string detail, string? nextStep = null)
    {
        var problem = new ProblemDetails { Type = TypeOf(code), Title = title, Status = status, Detail = detail };
        problem.Extensions["code"] = code;
        problem.Extensions["error"] = title;
        problem.Extensions["message"] = detail;
        if (nextStep is not null) problem.Extensions["next_step"] = nextStep;
        return problem;
    }

    /// <summary>400 with every error at once.</summary>
    public static ProblemHttpResult Invalid(string code, string title, IReadOnlyDictionary<string, string[]> errors)
    {
        var problem = Details(StatusCodes.Status400BadRequest, code, title, string.Join(" ", errors.SelectMany(e => e.Value.Select(v => $"{e.Key}: {v}"))));
        problem.Extensions["errors"] = errors;
        return TypedResults.Problem(problem);
    }

    public static ProblemHttpResult Locked() => Of(StatusCodes.Status423Locked, "locked", "Locked",
        "The appliance is locked; everything it keeps is sealed.", "Unlock it with POST /api/v1/crypto/unlock from your own network.");

    public static ProblemHttpResult SetupRequired() => Of(StatusCodes.Status423Locked, "setup_required", "Not set up",
        "The appliance has no owner yet.", "Choose a password with POST /api/v1/crypto/setup from your own network.");

    public static ProblemHttpResult NotFound(string what) => Of(StatusCodes.Status404NotFound, "not_found", "Not found", $"There is no {what}.");

    public static ProblemHttpResult Unauthorized(string detail) => Of(StatusCodes.Status401Unauthorized, "unauthorized", "Unauthorized", detail,
        "Log in with POST /api/v1/auth/login, or send a bearer token.");

    /// <summary>For what a session or a bearer token alone must not do, because a stolen one would then be worth more than itself.</summary>
    public static ProblemHttpResult PasswordRequired(string detail) =>
        Forbidden("password_required", detail, "Send the owner's password in the body as 'password'.");

    public static ProblemHttpResult Forbidden(string code, string detail, string? nextStep = null) =>
        Of(StatusCodes.Status403Forbidden, code, "Forbidden", detail, nextStep);
}
