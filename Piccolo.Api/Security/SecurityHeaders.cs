using Piccolo.Api.Ingress.Tls;
using Route = Piccolo.Core.Routing.Route;

namespace Piccolo.Api.Security;

/// <summary>Headers of the portal and the API. Apps behind the forwarder set their own.</summary>
internal static class SecurityHeaders
{
    private const string Policy = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; object-src 'none'";

    /// <summary>A year. Not for subdomains: what the apps beside the portal promise is theirs to say.</summary>
    private const string Hsts = "max-age=31536000";

    public static IApplicationBuilder UseSecurityHeaders(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        // Swagger's own page, in Development only, needs its inline parts.
        if (!context.Request.Path.StartsWithSegments("/swagger")) headers.ContentSecurityPolicy = Policy;
        // Only where the portal's own certificate was shown: on the LAN the same browser must be able to come back in clear text.
        if (context.Features.Get<TlsRouteFeature>() is { Route: Route.Portal }) headers.StrictTransportSecurity = Hsts;
        if (context.Request.Path.StartsWithSegments("/api")) headers.CacheControl = "no-store";
        return next(context);
    });
}
