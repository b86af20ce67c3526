using Microsoft.Extensions.Primitives;

namespace Piccolo.Api.Http;

/// <summary>Keeps other sites' pages from posting here before there is a session whose CSRF token could protect us.</summary>
internal sealed class SameOriginFilter : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var request = context.HttpContext.Request;
        // A cross-site form can send neither this content type nor, without our consent, this request at all.
        if (!request.HasJsonContentType())
            return new(Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Unsupported media type", "The body must be application/json."));
        return IsSameOrigin(request) ? next(context) : new(Problems.Forbidden("cross_origin", "This request comes from a page of another site."));
    }

    public static bool IsSameOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        return StringValues.IsNullOrEmpty(origin) || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }
}
