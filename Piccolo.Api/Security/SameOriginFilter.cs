using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Primitives;
using Piccolo.Api.Http;

namespace Piccolo.Api.Security;

/// <summary>Keeps other sites' pages from posting here before there is a session whose CSRF token could protect us.</summary>
internal sealed class SameOriginFilter : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var request = context.HttpContext.Request;
        // A cross-site form can send neither this content type nor, without our consent, this request at all.
        if (!request.HasJsonContentType())
            return new(Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
                "The body must be application/json."));
        return IsSameOrigin(request) ? next(context) : new(Refusal(request));
    }

    /// <summary>RFC 6454, 5: scheme, host and port, each by its meaning and not by its text. A request without an Origin is not a page's.</summary>
    public static bool IsSameOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        if (StringValues.IsNullOrEmpty(origin)) return true;
        return origin.Count == 1
            && Uri.TryCreate(origin[0], UriKind.Absolute, out var theirs)
            && Uri.TryCreate(OwnOrigin(request), UriKind.Absolute, out var own)
            && theirs is { PathAndQuery: "/", Fragment: "", UserInfo: "" }
            && Uri.Compare(theirs, own, UriComponents.SchemeAndServer | UriComponents.StrongPort, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;
    }

    public static ProblemHttpResult Refusal(HttpRequest request) => Problems.Forbidden(
        "cross_origin",
        $"This request comes from a page of another site: its Origin is {Shown(request.Headers.Origin.ToString())}, and this is {Shown(OwnOrigin(request))}.");

    private static string OwnOrigin(HttpRequest request) => $"{request.Scheme}://{request.Headers.Host}";

    /// <summary>As a client sent it: short, and in one line.</summary>
    private static string Shown(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
