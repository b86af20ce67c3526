using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>How an app finds the end of a request's content (RFC 9112, 6.3), or that there is no end.</summary>
internal enum RequestFraming
{
    None,

    /// <summary>By <see cref="ForwardPlan.Length"/>.</summary>
    Length,

    Chunked,

    /// <summary>A WebSocket: once the app agrees, both sides send until one ends (RFC 6455; over HTTP/2 RFC 8441).</summary>
    WebSocket,
}

/// <summary>How one request goes on to an HTTP/1.1 app.</summary>
/// <param name="Target">Origin form, or <c>*</c>.</param>
/// <param name="Length">Bytes of content, for <see cref="RequestFraming.Length"/>.</param>
internal readonly record struct ForwardPlan(string Method, string Target, RequestFraming Framing, long Length)
{
    private const string WebSocket = "websocket";

    public bool IsHead => Method == HttpMethods.Head;

    public bool HasContent => Framing is RequestFraming.Chunked || Length > 0;

    /// <summary>Over HTTP/2 we make the key of the handshake that HTTP/1.1 wants, and judge the answer to it.</summary>
    public string? WebSocketKey { get; init; }

    /// <summary>The content is sent when the app asks for it (RFC 9110, 10.1.1).</summary>
    public bool WaitsForContinue { get; init; }

    /// <summary>Only safe methods may be sent a second time by somebody who does not know what they do (RFC 9110, 9.2.2).</summary>
    public bool IsRepeatable => Framing == RequestFraming.None && IsSafe(Method);

    /// <returns>What is wrong with the request; <see cref="ForwardOutcome.Done"/> when nothing is.</returns>
    public static ForwardOutcome TryMake(HttpContext context, out ForwardPlan plan)
    {
        plan = default;
        var request = context.Request;
        // Method names are case-sensitive (RFC 9110, 9.1): the framework's own comparison is not.
        var method = request.Method;
        if (IsExtendedConnect(context)) return WebSocketOverHttp2(context, out plan);
        if (method == HttpMethods.Connect) return ForwardOutcome.NotImplemented;
        if (!RequestTarget.TryRead(RawTargetOf(context), method, out var target)) return ForwardOutcome.BadTarget;
        var headers = request.Headers;
        // The server takes chunked off; of any other coding it would lose the name (RFC 9112, 6.1).
        if (headers.TransferEncoding.Count > 0 && !IsOnlyChunked(headers.TransferEncoding)) return ForwardOutcome.NotImplemented;
        var isBare = context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true };
        if (method == HttpMethods.Get && AsksForWebSocket(context))
            plan = new ForwardPlan(method, target, RequestFraming.WebSocket, 0);
        else if (headers.ContentLength is > 0 and var length)
            plan = new ForwardPlan(method, target, RequestFraming.Length, length);
        // Also where there is none: whoever takes content is told that it is empty (RFC 9110, 8.6).
        else if (isBare || headers.ContentLength == 0 || (headers.Upgrade.Count > 0 && headers.TransferEncoding.Count == 0))
            plan = new ForwardPlan(method, target, IsSafe(method) || method == HttpMethods.Trace ? RequestFraming.None : RequestFraming.Length, 0);
        else
            plan = new ForwardPlan(method, target, RequestFraming.Chunked, 0);
        var waits = headers.Expect is [{ } expected] && expected.Equals("100-continue", StringComparison.OrdinalIgnoreCase);
        if (plan.HasContent && waits) plan = plan with { WaitsForContinue = true };
        return ForwardOutcome.Done;
    }

    private static string RawTargetOf(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    private static bool IsOnlyChunked(StringValues codings) => codings is [{ } coding] && coding.Trim().Equals("chunked", StringComparison.OrdinalIgnoreCase);

    private static bool AsksForWebSocket(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && ForwardingRules.HasMember(context.Request.Headers.Upgrade, WebSocket);

    private static bool IsExtendedConnect(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    private static ForwardOutcome WebSocketOverHttp2(HttpContext context, out ForwardPlan plan)
    {
        plan = default;
        if (context.Features.GetRequiredFeature<IHttpExtendedConnectFeature>().Protocol != WebSocket) return ForwardOutcome.NotImplemented;
        if (!RequestTarget.TryRead(RawTargetOf(context), HttpMethods.Get, out var target)) return ForwardOutcome.BadTarget;
        plan = new ForwardPlan(HttpMethods.Get, target, RequestFraming.WebSocket, 0)
        {
            WebSocketKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)),
        };
        return ForwardOutcome.Done;
    }

    private static bool IsSafe(string method) => method is "GET" or "HEAD" or "OPTIONS";
}
