namespace Piccolo.Api.Http;

/// <summary>Headers of the portal and the API. Apps behind the forwarder set their own.</summary>
internal static class SecurityHeaders
{
    private const string Policy = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; object-src 'none'";

    public static IApplicationBuilder UseSecurityHeaders(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        // Swagger's own page, in Development only, needs its inline parts.
        if (!context.Request.Path.StartsWithSegments("/swagger")) headers.ContentSecurityPolicy = Policy;
        if (context.Request.Path.StartsWithSegments("/api")) headers.CacheControl = "no-store";
        return next(context);
    });
}
