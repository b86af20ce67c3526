using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Piccolo.Api.Ingress.Apps;

/// <summary>
/// Which fields of a request reach an app, and which of its answer come back: the same whether the appliance speaks with the app itself (<see cref="AppExchange"/>)
/// or has it done (<see cref="AppRequestTransformer"/>). Pure.
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

    /// <summary>What an app gets of a field of a request; empty when it gets nothing. Host and the true addresses come from <see cref="ForwardedFields"/>.</summary>
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
                return ApplianceCookies.WithoutOurs(values);
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

    /// <summary>Also with underscores: CGI, WSGI and their like make the two spellings one.</summary>
    public static bool IsForwardingHeader(string name)
    {
        // Most names begin otherwise, and cost no more than a look.
        if (name.Length == 0 || (name[0] | 0x20) is not ('x' or 'f')) return false;
        var spelled = name.Contains('_') ? name.Replace('_', '-') : name;
        return spelled.StartsWith("X-Forwarded", StringComparison.OrdinalIgnoreCase)
            || spelled.Equals("Forwarded", StringComparison.OrdinalIgnoreCase)
            || spelled.Equals("X-Real-IP", StringComparison.OrdinalIgnoreCase);
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

    private static bool HasMember(StringValues values, string member)
    {
        foreach (var value in values)
            if (value is not null && value.Split(',', StringSplitOptions.TrimEntries).Contains(member, StringComparer.OrdinalIgnoreCase)) return true;
        return false;
    }
}
