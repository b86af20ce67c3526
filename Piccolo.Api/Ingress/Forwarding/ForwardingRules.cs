using System.Buffers;
using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Piccolo.Api.Ingress.Forwarding.Direct;
using Piccolo.Api.Ingress.Forwarding.Yarp;

namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>
/// Which fields of a request reach an app, and which of its answer come back: the same over HTTP/1.1 (<see cref="AppExchange"/>) and for gRPC
/// (<see cref="GrpcTransformer"/>). Pure.
/// </summary>
internal static class ForwardingRules
{
    /// <summary>For one connection only, whether Connection names them or not (RFC 9110, 7.6.1), and what YARP counts among them.</summary>
    private static readonly FrozenSet<string> HopByHop = new[]
    {
        HeaderNames.Connection, HeaderNames.TransferEncoding, HeaderNames.KeepAlive, HeaderNames.Upgrade, HeaderNames.ProxyConnection,
        HeaderNames.ProxyAuthenticate, "Proxy-Authentication-Info", HeaderNames.ProxyAuthorization, "Proxy-Features", "Proxy-Instruction",
        "Security-Scheme", "ALPN", "Close", "HTTP2-Settings", HeaderNames.TE, HeaderNames.AltSvc,
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly SearchValues<char> TokenChars = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Whether a method, or a field's name, is spelled right (RFC 9110, 5.6.2).</summary>
    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(TokenChars);

    /// <summary>The last word of a name that tells an address.</summary>
    private static readonly string[] AddressWords = ["ip", "ips", "ipv4", "ipv6", "addr", "clientip", "userip", "realip", "remoteip", "socketip", "sourceip"];

    /// <summary>What stands before the word "address" in names that tell one of a network.</summary>
    private static readonly string[] Sides = ["client", "remote", "ip", "source", "peer", "external", "user"];

    /// <summary>Whether the method and all names of fields are.</summary>
    public static bool AreTokens(HttpRequest request)
    {
        if (!IsToken(request.Method)) return false;
        foreach (var (name, _) in request.Headers)
            if (!IsToken(name) && name is not [':', ..]) return false;
        return true;
    }

    /// <summary>
    /// What an app gets of a field of a request; empty when it gets nothing. Host and the true addresses come from <see cref="ForwardedFields"/>.
    /// </summary>
    /// <param name="nominated">Of <see cref="NominatedBy"/>.</param>
    public static StringValues ToApp(string name, StringValues values, List<string>? nominated, bool isHttp2)
    {
        if (name.Length == 0 || name[0] == ':') return default;
        // By length first: most names are none of those that matter.
        switch (name.Length)
        {
            case 2 when name.Equals(HeaderNames.TE, StringComparison.OrdinalIgnoreCase):
                // All that HTTP/2 knows of it, and it means the end of a message, not of a connection (RFC 9113, 8.2.2).
                return isHttp2 && HasMember(values, "trailers") ? "trailers" : default(StringValues);
            case 4 when name.Equals(HeaderNames.Host, StringComparison.OrdinalIgnoreCase):
                return default;
            case 6 when name.Equals(HeaderNames.Cookie, StringComparison.OrdinalIgnoreCase):
                return ApplianceCookies.RemoveApplianceCookies(values);
        }
        if (HopByHop.Contains(name) || IsForwardingHeader(name) || (nominated is not null && IsNominated(name, nominated))) return default;
        return values;
    }

    /// <summary>Whether a field of an answer comes back. Cookies, lengths and trailers have their own rules.</summary>
    /// <param name="nominated">Of <see cref="NominatedBy"/>.</param>
    public static bool IsForClient(string name, List<string>? nominated) => !HopByHop.Contains(name) && (nominated is null || !IsNominated(name, nominated));

    /// <summary>Whether a field after the content comes back: none that frames the message or that had to be known before (RFC 9110, 6.5.1).</summary>
    public static bool IsTrailerForClient(string name) =>
        !HopByHop.Contains(name) && !name.Equals(HeaderNames.SetCookie, StringComparison.OrdinalIgnoreCase)
        && !name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) && !name.Equals(HeaderNames.Trailer, StringComparison.OrdinalIgnoreCase);

    /// <summary>Answers of these statuses have no length to be told (RFC 9110, 8.6).</summary>
    public static bool HasNoLength(int status) => status is < 200 or StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent;

    /// <summary>The fields that Connection says are for this connection only; null when it names none.</summary>
    public static List<string>? NominatedBy(StringValues connection)
    {
        List<string>? nominated = null;
        foreach (var value in connection)
        {
            if (value is null || IsUsual(value)) continue;
            foreach (var option in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                if (!IsUsual(option)) (nominated ??= []).Add(option);
        }
        return nominated;
    }

    /// <summary>
    /// Whether an app could take a field for the truth about where a request comes from: by what the name says, for every proxy and host has one of its own
    /// (<c>CF-Connecting-IP</c>, <c>True-Client-IP</c>, <c>X-Cluster-Client-IP</c>). Also with underscores: CGI, WSGI and their like make the two spellings
    /// one,
    /// and turn <c>Proxy</c> into a setting of their own.
    /// </summary>
    public static bool IsForwardingHeader(string name)
    {
        if (name.Equals("Proxy", StringComparison.OrdinalIgnoreCase) || name.Contains("forwarded", StringComparison.OrdinalIgnoreCase)) return true;
        var start = name.AsSpan().LastIndexOfAny('-', '_') + 1;
        var last = name.AsSpan(start);
        if (last.Length is < 2 or > 8 || (last[^1] | 0x20) is not ('p' or 's' or 'r' or '4' or '6')) return false;
        if (last.Equals("address", StringComparison.OrdinalIgnoreCase)) return IsAny(name.AsSpan(0, Math.Max(start - 1, 0)), Sides, isEnd: true);
        // A name of one word may be anything.
        return IsAny(last, AddressWords, isEnd: false) && (start > 0 || last.Length > 4);
    }

    private static bool IsAny(ReadOnlySpan<char> text, string[] words, bool isEnd)
    {
        foreach (var word in words)
            if (isEnd ? text.EndsWith(word, StringComparison.OrdinalIgnoreCase) : text.Equals(word, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    /// <summary>
    /// Whether a target can go on as the client wrote it: a path of visible characters. What has a space or a line's end in it, which a lenient reader lets
    /// through, could be read as two things.
    /// </summary>
    public static bool IsPlainTarget(ReadOnlySpan<char> target) => target is ['/', ..] && !target.ContainsAnyExceptInRange('!', '~');

    /// <summary>A nomination never takes away what says where the content ends.</summary>
    private static bool IsNominated(string name, List<string> nominated) =>
        !name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) && nominated.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static bool IsUsual(string option) =>
        option.Equals("keep-alive", StringComparison.OrdinalIgnoreCase) || option.Equals("close", StringComparison.OrdinalIgnoreCase)
        || option.Equals("upgrade", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a list of a field has a member, whatever its case.</summary>
    public static bool HasMember(StringValues values, string member)
    {
        foreach (var value in values)
            if (value is not null && value.Split(',', StringSplitOptions.TrimEntries).Contains(member, StringComparer.OrdinalIgnoreCase)) return true;
        return false;
    }
}
