using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Api.Ingress.Responses;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Listeners;

namespace Piccolo.Api.Ingress.Dispatch;

/// <summary>
/// Answers HTTP-01 before anything else (RFC 8555, 8.3): on port 80 of LAN and tunnel alike, without authentication and without a redirect, and only tokens
/// that are pending for the very host that is asked for.
/// </summary>
internal sealed class Http01ChallengeMiddleware(RequestDelegate next, Http01Challenges challenges)
{
    private const int MaxTokenLength = 128;

    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        return path.StartsWith(Http01Challenges.PathPrefix, StringComparison.Ordinal) && IsPlainPort80(context.Features)
            ? AnswerAsync(context, path[Http01Challenges.PathPrefix.Length..])
            : next(context);
    }

    private static bool IsPlainPort80(IFeatureCollection features) =>
        features.Get<TlsRouteFeature>() is null
        && features.Get<IConnectionOriginFeature>() is { PublicPort: ListenerDefinition.HttpPort, LanListener: null };

    private async Task AnswerAsync(HttpContext context, string token)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await IngressPage.WriteProblemAsync(context, StatusCodes.Status405MethodNotAllowed, "method_not_allowed", "Method not allowed",
                "A challenge is only read.");
            return;
        }
        var host = RequestHost.NameOf(context.Request);
        if (!IsToken(token) || challenges.Find(host, token) is not { } keyAuthorization)
        {
            await IngressPage.WriteProblemAsync(context, StatusCodes.Status404NotFound, "challenge_unknown", "Not found",
                "No such challenge is pending for this host.");
            return;
        }
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = keyAuthorization.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(context.Request.Method)) await context.Response.WriteAsync(keyAuthorization, context.RequestAborted);
    }

    /// <summary>base64url, which is all that a token may hold.</summary>
    private static bool IsToken(string token) =>
        token.Length is > 0 and <= MaxTokenLength && token.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
