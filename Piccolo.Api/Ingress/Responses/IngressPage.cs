using System.Globalization;
using System.Net.Mime;
using System.Text.Encodings.Web;
using Microsoft.Net.Http.Headers;
using Piccolo.Api.Http;

namespace Piccolo.Api.Ingress.Responses;

/// <summary>The front door's own answers: a problem document (RFC 9457), or a small page for those who prefer HTML.</summary>
internal static class IngressPage
{
    public static Task WriteProblemAsync(HttpContext context, int status, string code, string title, string detail)
    {
        Begin(context, status, null);
        return Problems.Of(status, code, title, detail).ExecuteAsync(context);
    }

    /// <summary>A page or a problem, as the client's Accept prefers.</summary>
    public static Task WriteAsync(HttpContext context, int status, string code, string title, string detail, TimeSpan? retryAfter)
    {
        if (!PrefersHtml(context.Request))
        {
            Begin(context, status, retryAfter);
            return Problems.Of(status, code, title, detail).ExecuteAsync(context);
        }
        Begin(context, status, retryAfter);
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        var encode = HtmlEncoder.Default;
        return context.Response.WriteAsync(
            $"""
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>{encode.Encode(title)}</title><style>body{"{"}font:16px/1.5 sans-serif;margin:15vh auto;max-width:32em;padding:0 1em{"}"}</style>
            <h1>{encode.Encode(title)}</h1><p>{encode.Encode(detail)}</p></html>

            """,
            context.RequestAborted);
    }

    /// <summary>RFC 9110, 12.5.1: by quality, then by order. Who names neither form, as tools that take anything do, gets the one for programs.</summary>
    internal static bool PrefersHtml(HttpRequest request)
    {
        var (html, json) = (0.0, 0.0);
        foreach (var accepted in request.GetTypedHeaders().Accept)
        {
            var quality = accepted.Quality ?? 1;
            var type = accepted.MediaType.Value ?? "";
            if (type.Equals(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase)) html = Math.Max(html, quality > json ? quality : 0);
            else if (type.EndsWith("json", StringComparison.OrdinalIgnoreCase)) json = Math.Max(json, quality > html ? quality : 0);
        }
        return html > json;
    }

    private static void Begin(HttpContext context, int status, TimeSpan? retryAfter)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (retryAfter is { } wait) context.Response.Headers[HeaderNames.RetryAfter] = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
    }
}
