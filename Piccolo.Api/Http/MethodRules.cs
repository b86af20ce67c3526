using Microsoft.Extensions.Primitives;

namespace Piccolo.Api.Http;

/// <summary>
/// HEAD is answered wherever GET is (RFC 9110, 9.3.2): routing sees a GET, and the server, which knows better, sends no body. OPTIONS says which methods
/// a path knows and nothing else: no page of another site is ever invited in.
/// </summary>
internal static class MethodRules
{
    private static readonly PathString[] Prefixes = ["/api", "/health", "/version"];

    public static IApplicationBuilder UseMethodRules(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (!Prefixes.Any(p => context.Request.Path.StartsWithSegments(p))) return next(context);
        return HttpMethods.IsHead(context.Request.Method) ? HeadAsync(context, next) : NamingMethodsAsync(context, next);
    });

    private static async Task HeadAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.Method = HttpMethods.Get;
        try
        {
            await next(context);
        }
        finally
        {
            context.Request.Method = HttpMethods.Head;
        }
    }

    private static async Task NamingMethodsAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        var response = context.Response;
        if (response.StatusCode != StatusCodes.Status405MethodNotAllowed || response.HasStarted) return;
        var allowed = response.Headers.Allow.SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .ToHashSet(StringComparer.Ordinal);
        if (allowed.Contains(HttpMethods.Get)) allowed.Add(HttpMethods.Head);
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            allowed.Add(HttpMethods.Options);
            response.StatusCode = StatusCodes.Status204NoContent;
        }
        response.Headers.Allow = new StringValues(string.Join(", ", allowed.Order(StringComparer.Ordinal)));
    }
}
