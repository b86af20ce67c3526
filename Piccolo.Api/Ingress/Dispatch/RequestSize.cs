using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Responses;

namespace Piccolo.Api.Ingress.Dispatch;

/// <summary>
/// First of all: refuses a request line and header fields that are too long, in the same way over HTTP/1.1 and HTTP/2. The server's own limits would end a
/// connection of HTTP/2 with everything that goes on there.
/// </summary>
internal sealed class RequestSize(RequestDelegate next, IOptions<HttpLimitOptions> options)
{
    // "GET target HTTP/1.1" and its line end; ": " and the line end of a field.
    private const int LineOverhead = 12;
    private const int FieldOverhead = 4;

    private readonly int _maxLine = options.Value.MaxRequestLineBytes;
    private readonly int _maxHeaders = options.Value.MaxHeaderBytes;

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Length + context.Request.Method.Length + LineOverhead > _maxLine)
            return RefuseAsync(context, StatusCodes.Status414UriTooLong, "uri_too_long", "URI too long", $"A request line may have {_maxLine} bytes.");
        if (SizeOf(context.Request.Headers) > _maxHeaders)
            return RefuseAsync(context, StatusCodes.Status431RequestHeaderFieldsTooLarge, "header_fields_too_large", "Header fields too large",
                $"The header fields of a request may have {_maxHeaders} bytes together. Deleting the cookies of this site may help.");
        return next(context);
    }

    private static int SizeOf(IHeaderDictionary headers)
    {
        var size = 0;
        foreach (var (name, values) in headers)
            foreach (var value in values) size += name.Length + (value?.Length ?? 0) + FieldOverhead;
        return size;
    }

    private static Task RefuseAsync(HttpContext context, int status, string code, string title, string detail)
    {
        // Of HTTP/1.1 the rest may be as unusable. HTTP/2 has no such field.
        if (!HttpProtocol.IsHttp2(context.Request.Protocol)) context.Response.Headers.Connection = "close";
        return IngressPage.WriteProblemAsync(context, status, code, title, detail);
    }
}
