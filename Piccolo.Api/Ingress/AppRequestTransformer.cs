using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace Piccolo.Api.Ingress;

/// <summary>What an app gets to see of a request: the client's own header fields without forged addresses and without our cookies, and the truth in their place.</summary>
/// <param name="hstsMaxAge">In seconds, when the manifest asks for it; null leaves the matter to the app.</param>
internal sealed class AppRequestTransformer(int? hstsMaxAge) : HttpTransformer
{
    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var headers = proxyRequest.Headers;
        RemoveForged(headers);

        if (httpContext.Request.Headers.Cookie is { Count: > 0 } sent)
        {
            headers.Remove(HeaderNames.Cookie);
            if (ApplianceCookies.WithoutOurs(sent) is { } cookies) headers.TryAddWithoutValidation(HeaderNames.Cookie, cookies);
        }

        // It is the app's to say whether it wants the body (RFC 9110, 10.1.1); until it does, none is asked of the client.
        if (httpContext.Request.Headers.Expect.Count > 0) headers.ExpectContinue = true;

        var host = httpContext.Request.Host.Value;
        var client = httpContext.Features.GetRequiredFeature<IConnectionOriginFeature>().ClientEndPoint?.Address;
        headers.Host = host;
        if (client is not null) headers.TryAddWithoutValidation("X-Forwarded-For", client.ToString());
        headers.TryAddWithoutValidation("X-Forwarded-Proto", httpContext.Request.Scheme);
        if (host is not null) headers.TryAddWithoutValidation("X-Forwarded-Host", host);
        headers.TryAddWithoutValidation("Forwarded", Forwarded(client, host, httpContext.Request.Scheme));
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        var proceed = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        var setCookie = httpContext.Response.Headers.SetCookie;
        if (setCookie.Any(c => c is not null && ApplianceCookies.IsOurs(c)))
            httpContext.Response.Headers.SetCookie = new StringValues([.. setCookie.Where(c => c is not null && !ApplianceCookies.IsOurs(c))]);
        if (hstsMaxAge is { } age) httpContext.Response.Headers.StrictTransportSecurity = string.Create(CultureInfo.InvariantCulture, $"max-age={age}");
        return proceed;
    }

    private static void RemoveForged(HttpRequestHeaders headers)
    {
        List<string>? forged = null;
        foreach (var (name, _) in headers.NonValidated)
            if (IsForwardingHeader(name)) (forged ??= []).Add(name);
        forged?.ForEach(name => headers.Remove(name));
    }

    /// <summary>Also with underscores: CGI, WSGI and their like make the two spellings one.</summary>
    internal static bool IsForwardingHeader(string name)
    {
        // Most names begin otherwise, and cost no more than a look.
        if (name.Length == 0 || (name[0] | 0x20) is not ('x' or 'f')) return false;
        var spelled = name.Replace('_', '-');
        return spelled.StartsWith("X-Forwarded", StringComparison.OrdinalIgnoreCase)
            || spelled.Equals("Forwarded", StringComparison.OrdinalIgnoreCase)
            || spelled.Equals("X-Real-IP", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>RFC 7239, 4 and 6: an IPv6 address is bracketed and quoted, a host with a port is quoted.</summary>
    private static string Forwarded(IPAddress? client, string? host, string scheme)
    {
        var parts = new List<string>(3);
        if (client is not null) parts.Add(client.AddressFamily == AddressFamily.InterNetworkV6 ? $"for=\"[{client}]\"" : $"for={client}");
        if (host is not null) parts.Add($"host=\"{host.Replace("\\", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal)}\"");
        parts.Add($"proto={scheme}");
        return string.Join(';', parts);
    }
}
