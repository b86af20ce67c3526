using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Remote.Probing;

namespace Piccolo.Api.Remote;

/// <summary>
/// Answers this device's own questions that come back to it from outside, on whichever public name they were asked. A question that is not pending goes on as
/// if this were not here: nobody can tell by it what runs behind a name, and no app loses a path.
/// </summary>
internal sealed class ProbeAnswerMiddleware(RequestDelegate next, ProbeNonces nonces)
{
    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (!path.StartsWith(ProbeNonces.PathPrefix, StringComparison.Ordinal) || PublicNameOf(context.Features) is not { } name) return next(context);
        return nonces.Find(name, path[ProbeNonces.PathPrefix.Length..]) is { } answer ? AnswerAsync(context, answer) : next(context);
    }

    /// <summary>The name of the handshake; null where TLS did not end here under a public name.</summary>
    private static string? PublicNameOf(IFeatureCollection features) => features.Get<TlsRouteFeature>()?.Route?.Host.Value;

    private static Task AnswerAsync(HttpContext context, string answer)
    {
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = answer.Length;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(answer, context.RequestAborted);
    }
}

internal static class ProbeAnswerExtensions
{
    /// <summary>Before the decision by host, which would hand the question to an app.</summary>
    public static IApplicationBuilder UseProbeAnswer(this IApplicationBuilder app) => app.UseMiddleware<ProbeAnswerMiddleware>();
}
