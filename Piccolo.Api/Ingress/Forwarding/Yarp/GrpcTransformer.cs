using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Piccolo.Api.Ingress.Forwarding.Direct;
using Yarp.ReverseProxy.Forwarder;

namespace Piccolo.Api.Ingress.Forwarding.Yarp;

/// <summary>Has YARP follow <see cref="ForwardingRules"/> for gRPC: what an app gets to see of a request, and what its client of the answer.</summary>
/// <param name="hstsMaxAge">In seconds, when the manifest asks for it; null leaves the matter to the app.</param>
internal sealed class GrpcTransformer(int? hstsMaxAge) : HttpTransformer
{
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public override ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        var request = httpContext.Request;
        var forwarded = ForwardedFields.Of(httpContext);
        var target = httpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        // Paths mean to an app what it takes them to mean: nothing is decoded, merged or escaped.
        if (RequestTarget.TryRead(target, request.Method, out var path)) proxyRequest.RequestUri = new Uri(destinationPrefix + path, in AsWritten);

        var isHttp2 = HttpProtocol.IsHttp2(request.Protocol);
        var nominated = ForwardingRules.NominatedBy(request.Headers.Connection);
        foreach (var (name, values) in request.Headers)
        {
            var kept = ForwardingRules.ToApp(name, values, nominated, isHttp2);
            // A call's messages say how long they are.
            if (kept.Count == 0 || name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase)) continue;
            Add(proxyRequest, name, kept);
        }
        proxyRequest.Headers.Host = forwarded.Host;
        if (forwarded.Client is not null)
        {
            Add(proxyRequest, "X-Forwarded-For", forwarded.Client);
            Add(proxyRequest, "X-Real-IP", forwarded.Client);
        }
        Add(proxyRequest, "X-Forwarded-Proto", forwarded.Scheme);
        if (forwarded.Host is not null) Add(proxyRequest, "X-Forwarded-Host", forwarded.Host);
        Add(proxyRequest, "Forwarded", forwarded.Forwarded);
        return ValueTask.CompletedTask;
    }

    public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null) return ValueTask.FromResult(false);
        var headers = httpContext.Response.Headers;
        var nominated = ForwardingRules.NominatedBy(proxyResponse.Headers.NonValidated.TryGetValues(HeaderNames.Connection, out var connection)
            ? new StringValues([.. connection]) : default);
        foreach (var (name, values) in proxyResponse.Headers.NonValidated) Copy(headers, name, values, nominated);
        foreach (var (name, values) in proxyResponse.Content.Headers.NonValidated) Copy(headers, name, values, nominated);
        var hasCoding = proxyResponse.Headers.NonValidated.Contains(HeaderNames.TransferEncoding);
        if (hasCoding || ForwardingRules.HasNoLength((int)proxyResponse.StatusCode)) headers.ContentLength = null;
        ResponseCopy.SetHsts(headers, hstsMaxAge);
        return ValueTask.FromResult(true);
    }

    public override ValueTask TransformResponseTrailersAsync(HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken)
    {
        if (httpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is not { IsReadOnly: false } trailers) return ValueTask.CompletedTask;
        foreach (var (name, values) in proxyResponse.TrailingHeaders.NonValidated)
            if (ForwardingRules.IsTrailerForClient(name)) trailers[name] = StringValues.Concat(trailers[name], values.ToArray());
        return ValueTask.CompletedTask;
    }

    /// <summary>A field of content without content has no place in the library's message, and none in a call.</summary>
    private static void Add(HttpRequestMessage request, string name, StringValues values)
    {
        IEnumerable<string?> each = values;
        if (!request.Headers.TryAddWithoutValidation(name, each)) request.Content?.Headers.TryAddWithoutValidation(name, each);
    }

    private static void Copy(IHeaderDictionary headers, string name, HeaderStringValues values, List<string>? nominated)
    {
        if (!ForwardingRules.IsForClient(name, nominated)) return;
        foreach (var value in values) ResponseCopy.Add(headers, name, value);
    }
}
