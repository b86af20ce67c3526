using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Piccolo.Core.Http;

namespace Piccolo.Api.Ingress.Forwarding.Direct;

/// <summary>Makes the head of an app's answer that of ours, by <see cref="ForwardingRules"/>.</summary>
internal static class ResponseCopy
{
    /// <param name="bytes">The head.</param>
    /// <param name="hstsMaxAge">In seconds, when the manifest asks for it; null leaves the matter to the app.</param>
    /// <exception cref="InvalidOperationException">The server refuses a field.</exception>
    public static void Copy(ReadOnlySpan<byte> bytes, ResponseHead head, HttpContext context, ContentFraming framing, int? hstsMaxAge)
    {
        var response = context.Response;
        response.StatusCode = head.Status;
        SetReason(head.Reason.Value(bytes), context, head.Status);
        var headers = response.Headers;
        var nominated = head.HasNominated ? NominatedBy(bytes, head) : null;
        foreach (var field in head.Fields)
        {
            var name = Encoding.ASCII.GetString(field.Name(bytes));
            if (!ForwardingRules.IsForClient(name, nominated)) continue;
            // HTTP/1.1 gets no trailers here (see below).
            if (Is(name, HeaderNames.Trailer) && !HttpProtocol.IsHttp2(context.Request.Protocol)) continue;
            if (Is(name, HeaderNames.ContentLength)) continue;
            Add(headers, name, Encoding.Latin1.GetString(field.Value(bytes)));
        }
        // Beside a transfer coding a length is none (RFC 9112, 6.3). To a HEAD and with 304 it says what there would be.
        var mayHaveLength = framing is ContentFraming.Length or ContentFraming.None && !ForwardingRules.HasNoLength(head.Status);
        if (mayHaveLength && head.ContentLength is { } length) headers.ContentLength = length;
        SetHsts(headers, hstsMaxAge);
    }

    public static void CopyTrailers(ReadOnlySpan<byte> bytes, ResponseHead trailers, HttpContext context)
    {
        // HTTP/1.1 has none here: a client that takes them must have said so, and hardly any does.
        if (context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is not { IsReadOnly: false } target) return;
        foreach (var field in trailers.Fields)
        {
            var name = Encoding.ASCII.GetString(field.Name(bytes));
            if (ForwardingRules.IsTrailerForClient(name)) target[name] = StringValues.Concat(target[name], Encoding.Latin1.GetString(field.Value(bytes)));
        }
    }

    public static void SetHsts(IHeaderDictionary headers, int? maxAge)
    {
        if (maxAge is { } age) headers.StrictTransportSecurity = string.Create(CultureInfo.InvariantCulture, $"max-age={age}");
    }

    /// <summary>One value more, unless it sets or clears a cookie of ours.</summary>
    public static void Add(IHeaderDictionary headers, string name, string value)
    {
        if (name.Length == 10 && name.Equals(HeaderNames.SetCookie, StringComparison.OrdinalIgnoreCase) && ApplianceCookies.IsApplianceCookie(value)) return;
        if (name.Length == 15 && name.Equals("Clear-Site-Data", StringComparison.OrdinalIgnoreCase) && ApplianceCookies.AreCleared(value)) return;
        headers[name] = headers.TryGetValue(name, out var before) && before.Count > 0 ? StringValues.Concat(before, value) : value;
    }

    private static List<string>? NominatedBy(ReadOnlySpan<byte> bytes, ResponseHead head)
    {
        var connection = new List<string>();
        foreach (var field in head.Fields)
            if (FieldText.Is(field.Name(bytes), "Connection"u8)) connection.Add(Encoding.ASCII.GetString(field.Value(bytes)));
        return ForwardingRules.NominatedBy(new StringValues([.. connection]));
    }

    private static bool Is(string name, string field) => name.Equals(field, StringComparison.OrdinalIgnoreCase);

    /// <summary>Only an unusual one has to be kept: the server knows the others.</summary>
    private static void SetReason(ReadOnlySpan<byte> reason, HttpContext context, int status)
    {
        if (Ascii.Equals(reason, ReasonPhrases.GetReasonPhrase(status))) return;
        context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = Encoding.Latin1.GetString(reason);
    }
}
