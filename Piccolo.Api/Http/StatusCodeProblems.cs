using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;

namespace Piccolo.Api.Http;

/// <summary>Gives a body to the errors that the framework answers without one: unknown path, wrong method, and the like.</summary>
internal static class StatusCodeProblems
{
    public static IApplicationBuilder UseStatusCodeProblems(this IApplicationBuilder app) =>
        app.UseStatusCodePages(context => For(context.HttpContext).ExecuteAsync(context.HttpContext));

    private static ProblemHttpResult For(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => Problems.Of(404, "not_found", "Not found", $"There is nothing at {context.Request.Path}."),
        StatusCodes.Status405MethodNotAllowed => Problems.Of(
            405, "method_not_allowed", "Method not allowed",
                $"{context.Request.Path} does not allow {context.Request.Method}. Allowed: {context.Response.Headers.Allow}."),
        StatusCodes.Status413PayloadTooLarge => BodyLimit.TooLarge(),
        StatusCodes.Status415UnsupportedMediaType => Problems.Of(
            415, "unsupported_media_type", "Unsupported media type", "The content type of the body is not one that this path takes."),
        var status => Problems.Of(status, CodeOf(status), ReasonPhrases.GetReasonPhrase(status), "The request could not be served."),
    };

    /// <summary>The status' own name (RFC 9110, 15) as a code: 400 is <c>bad_request</c>.</summary>
    private static string CodeOf(int status) =>
        ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } reason ? reason.ToLowerInvariant().Replace(' ', '_').Replace('-', '_') : $"status_{status}";
}
