using System.Text;
using Microsoft.Net.Http.Headers;

namespace Piccolo.Api.Ingress.Apps;

/// <summary>Names of fields that most answers have, as the very strings that the server compares with: no new one is made, and it finds them at a glance.</summary>
internal static class KnownFields
{
    private const int Size = 256;

    private static readonly string?[] Table = Build(
        HeaderNames.AcceptRanges, HeaderNames.AccessControlAllowCredentials, HeaderNames.AccessControlAllowHeaders, HeaderNames.AccessControlAllowMethods,
        HeaderNames.AccessControlAllowOrigin, HeaderNames.AccessControlExposeHeaders, HeaderNames.AccessControlMaxAge, HeaderNames.Age, HeaderNames.Allow,
        HeaderNames.CacheControl, HeaderNames.Connection, HeaderNames.ContentDisposition, HeaderNames.ContentEncoding, HeaderNames.ContentLanguage,
        HeaderNames.ContentLength, HeaderNames.ContentLocation, HeaderNames.ContentRange, HeaderNames.ContentSecurityPolicy, HeaderNames.ContentType,
        HeaderNames.Date, HeaderNames.ETag, HeaderNames.Expires, HeaderNames.KeepAlive, HeaderNames.LastModified, HeaderNames.Link, HeaderNames.Location,
        HeaderNames.Pragma, "Referrer-Policy", HeaderNames.RetryAfter, HeaderNames.Server, HeaderNames.SetCookie, HeaderNames.StrictTransportSecurity,
        HeaderNames.Trailer, HeaderNames.TransferEncoding, HeaderNames.Upgrade, HeaderNames.Vary, HeaderNames.Via, HeaderNames.WWWAuthenticate,
        HeaderNames.XContentTypeOptions, HeaderNames.XFrameOptions, HeaderNames.XPoweredBy, HeaderNames.XXSSProtection, "X-Request-Id");

    /// <param name="name">A token.</param>
    public static string NameOf(ReadOnlySpan<byte> name)
    {
        var place = PlaceOf(name.Length, name[0], name[^1], name[name.Length / 2]);
        // Two that share a place lie side by side.
        for (; Table[place] is { } known; place = (place + 1) % Size)
            if (Ascii.EqualsIgnoreCase(name, known)) return known;
        return Encoding.ASCII.GetString(name);
    }

    private static int PlaceOf(int length, int first, int last, int middle) => (length * 31 + (first | 0x20) * 7 + (last | 0x20) * 3 + (middle | 0x20)) % Size;

    private static string?[] Build(params ReadOnlySpan<string> names)
    {
        var table = new string?[Size];
        foreach (var name in names)
        {
            var place = PlaceOf(name.Length, name[0], name[^1], name[name.Length / 2]);
            while (table[place] is not null) place = (place + 1) % Size;
            table[place] = name;
        }
        return table;
    }
}
