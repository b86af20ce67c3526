using System.Globalization;
using System.Net.Mime;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Piccolo.Api.Ingress;

/// <summary>The front door's own answers: a problem document (RFC 9457), or a small page for those who prefer HTML.</summary>
internal static class IngressPage
{
    public static Task WriteProblemAsync(HttpContext context, int status, string code, string title, string detail)
    {
        Begin(context, status, "application/problem+json", null);
        return WriteJsonAsync(context, status, code, title, detail);
    }

    /// <summary>A page or a problem, as the client's Accept prefers.</summary>
    public static Task WriteAsync(HttpContext context, int status, string code, string title, string detail, TimeSpan? retryAfter)
    {
        if (!PrefersHtml(context.Request))
        {
            Begin(context, status, "application/problem+json", retryAfter);
            return WriteJsonAsync(context, status, code, title, detail);
        }
        Begin(context, status, "text/html; charset=utf-8", retryAfter);
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
            if (accepted.MediaType.Equals(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase)) html = Math.Max(html, quality > json ? quality : 0);
            else if (accepted.MediaType.Value is { } type && type.EndsWith("json", StringComparison.OrdinalIgnoreCase)) json = Math.Max(json, quality > html ? quality : 0);
        }
        return html > json;
    }

    private static void Begin(HttpContext context, int status, string contentType, TimeSpan? retryAfter)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (retryAfter is { } wait) context.Response.Headers[HeaderNames.RetryAfter] = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
    }

    private static async Task WriteJsonAsync(HttpContext context, int status, string code, string title, string detail)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", "about:blank");
            json.WriteString("title", title);
            json.WriteNumber("status", status);
            json.WriteString("detail", detail);
            json.WriteString("code", code);
            json.WriteString("error", title);
            json.WriteString("message", detail);
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }
}
