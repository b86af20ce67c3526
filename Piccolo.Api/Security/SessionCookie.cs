using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Auth;
using Piccolo.Core.Network;

namespace Piccolo.Api.Security;

/// <summary>
/// The session's cookie: <c>__Host-piccolo_session</c> over HTTPS, <c>piccolo_session</c> on the plain LAN port, where the prefix is not allowed. Bound to
/// the class of origin in which it began and, under the device's own names, to the client's address.
/// </summary>
internal static class SessionCookie
{
    public const string SecureName = SessionCookieNames.Secure;
    public const string PlainName = SessionCookieNames.Plain;

    private const int MaxUserAgent = 200;

    /// <param name="epoch"><see cref="SessionTable.Epoch"/> from before the password was checked.</param>
    public static void Begin(HttpContext context, SessionTable sessions, long epoch)
    {
        var (id, session) = sessions.Begin(OriginClass(context), Client(context), epoch, Place(context));
        context.SetOwner(new OwnerIdentity.Browser(id, session));
        context.Response.Cookies.Append(NameFor(context), id, Options(context));
    }

    public static OwnerIdentity.Browser? Find(HttpContext context, SessionTable sessions)
    {
        if (context.Request.Cookies[NameFor(context)] is not { Length: > 0 and <= 128 } id) return null;
        return sessions.Use(id, OriginClass(context), Place(context)) is { } session ? new OwnerIdentity.Browser(id, session) : null;
    }

    public static void Clear(HttpContext context) => context.Response.Cookies.Delete(NameFor(context), Options(context));

    private static string NameFor(HttpContext context) => context.Request.IsHttps ? SecureName : PlainName;

    /// <summary>The owner's own machine and the LAN behind it are one place; what crossed a router or the relay is another.</summary>
    private static string OriginClass(HttpContext context) => context.Origin() is var origin && origin.IsLocal() ? "local" : origin.ToString();

    /// <summary>Through the relay the portal has a name that no app shares, and a phone has another address every hour.</summary>
    private static string? Place(HttpContext context) =>
        context.Features.GetRequiredFeature<IConnectionOriginFeature>() is var connection && connection.Origin == ConnectionOrigin.Tunnel
        ? null
        : SessionPlace.Of(connection.ClientEndPoint?.Address, connection.Origin.IsLocal());

    private static SessionClient Client(HttpContext context)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        var address = context.Features.GetRequiredFeature<IConnectionOriginFeature>().ClientEndPoint?.Address;
        return new SessionClient(address?.ToString(), agent.Length == 0 ? null : agent[..Math.Min(agent.Length, MaxUserAgent)]);
    }

    private static CookieOptions Options(HttpContext context) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = context.Request.IsHttps,
        Path = "/",
        MaxAge = SessionTable.Absolute,
    };
}
