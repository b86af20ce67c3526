using Microsoft.Extensions.Primitives;
using Piccolo.Core.Auth;

namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>
/// Keeps our cookies from apps. On the LAN an app shares the device's host name, and cookies ignore ports: the browser would hand an app the owner's
/// session, and an app could set one of its own making.
/// </summary>
internal static class ApplianceCookies
{
    private static readonly string[] Names = [SessionCookieNames.Plain, SessionCookieNames.Secure];

    /// <summary>A request's Cookie fields without ours, as one (RFC 9113, 8.2.3); null when nothing is left.</summary>
    public static string? RemoveApplianceCookies(StringValues cookies)
    {
        // What cannot be one of ours stays as it came.
        if (cookies.Count == 1 && cookies[0] is { Length: > 0 } only && !MayHoldOurs(only)) return only;
        var kept = cookies.SelectMany(c => (c ?? "").Split(';')).Select(c => c.Trim()).Where(c => c.Length > 0 && !IsApplianceCookie(c)).ToList();
        return kept.Count == 0 ? null : string.Join("; ", kept);
    }

    private static bool MayHoldOurs(string cookies) => cookies.Contains(SessionCookieNames.Plain, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a Clear-Site-Data field ends the cookies of the whole domain, the portal's and all other apps' among them (Clear Site Data, 3.1).
    /// </summary>
    public static bool AreCleared(string value) =>
        value.Contains("cookies", StringComparison.OrdinalIgnoreCase) || value.Contains('*', StringComparison.Ordinal);

    /// <summary>Whether a Set-Cookie field, or one pair of a Cookie field, is about a cookie of ours.</summary>
    public static bool IsApplianceCookie(string cookie)
    {
        var pair = cookie.AsSpan();
        if (pair.IndexOf(';') is >= 0 and var end) pair = pair[..end];
        // A cookie without a name ("=piccolo_session=x") is stored as such and sent as "piccolo_session=x".
        pair = pair.Trim().TrimStart('=').TrimStart();
        if (pair.IndexOf('=') is >= 0 and var equals) pair = pair[..equals];
        pair = pair.TrimEnd();
        foreach (var name in Names)
            if (pair.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
