using System.Collections.Immutable;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Api.Apps;

/// <summary>One error of a manifest for programs; the sentences are in <c>errors</c> too, by path.</summary>
/// <param name="Line">Starts at 1; 0 = not from the text.</param>
/// <param name="Column">As <paramref name="Line"/>.</param>
/// <param name="Suggestion">What was probably meant; absent where nothing is near.</param>
public sealed record ManifestErrorResponse(string Path, int Line, int Column, string Message, string Code, string? Suggestion);

/// <summary>Problem documents about manifests: <c>errors</c> by path as everywhere, and <c>error_list</c> with place and code of each.</summary>
internal static class ManifestProblems
{
    /// <summary>400 with every error at once.</summary>
    public static ProblemHttpResult Invalid(ImmutableArray<ManifestError> errors) =>
        WithList(Problems.Invalid("invalid_manifest", "Invalid manifest", new ManifestResult(null, errors).ByPath()), errors);

    /// <summary>409: valid by itself, but not beside what is installed.</summary>
    public static ProblemHttpResult Conflict(ImmutableArray<ManifestError> errors)
    {
        var problem = Problems.Of(StatusCodes.Status409Conflict, "app_conflict", "Conflict", string.Join(" ", errors.Select(e => e.Message)));
        problem.ProblemDetails.Extensions["errors"] = new ManifestResult(null, errors).ByPath();
        return WithList(problem, errors);
    }

    private static ProblemHttpResult WithList(ProblemHttpResult problem, ImmutableArray<ManifestError> errors)
    {
        problem.ProblemDetails.Extensions["error_list"] =
            errors.Select(e => new ManifestErrorResponse(e.Path, e.Line, e.Column, e.Message, e.Code, e.Suggestion)).ToArray();
        return problem;
    }
}
