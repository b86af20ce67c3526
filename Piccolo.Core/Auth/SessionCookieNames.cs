namespace Piccolo.Core.Auth;

/// <summary>The names of the session's cookie: what the portal sets is what no app may see or set.</summary>
public static class SessionCookieNames
{
    /// <summary>In clear text on the LAN, where the prefix is not allowed.</summary>
    public const string Plain = "piccolo_session";

    /// <summary>Over HTTPS (RFC 6265bis, 4.1.3.2).</summary>
    public const string Secure = "__Host-" + Plain;
}
