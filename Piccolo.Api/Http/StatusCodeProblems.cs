using Microsoft.AspNetCore.Http.HttpResults;

namespace Piccolo.Api.Http;

/// <summary>Gives a body to the errors that the framework answers without one: unknown path, wrong method, and the like.</summary>
internal static class StatusCodeProblems
{
    public static IApplicationBuilder UseStatusCodeProblems(this IApplicationBuilder app) =>
        app.UseStatusCodePages(context => For(context.HttpContext).ExecuteAsync(context.HttpContext));

    private static ProblemHttpResult For(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => Problems.Of(404, "not_found", "Not found", $"There is nothing at {context.Request.Path}."),
        StatusCodes.Status405MethodNotAllowed => Problems.Of(405, "method_not_allowed", "Method not allowed", $"{context.Request.Path} does not know {context.Request.Method}; it knows {context.Response.Headers.Allow}."),
        StatusCodes.Status415UnsupportedMediaType => Problems.Of(415, "unsupported_media_type", "Unsupported media type", "The content type of the body is not one that this path takes."),
        var status => Problems.Of(status, "bad_request", "Bad request", "The request could not be served."),
    };
}
