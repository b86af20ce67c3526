using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Core.Auth;

namespace Piccolo.Api.Security;

/// <summary>Lets the owner in: by session cookie, whose writes also need the CSRF token, or by bearer token.</summary>
internal sealed class OwnerFilter(SessionTable sessions, ApiTokenStore tokens) : IEndpointFilter
{
    public const string CsrfHeader = "X-CSRF-Token";
    private const string BearerPrefix = "Bearer ";

    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var refusal = Admit(context.HttpContext);
        return refusal is null ? next(context) : new(refusal);
    }

    private ProblemHttpResult? Admit(HttpContext http)
    {
        var authorization = http.Request.Headers.Authorization.ToString();
        return authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? AdmitScript(http, authorization[BearerPrefix.Length..].Trim())
            : AdmitBrowser(http);
    }

    private ProblemHttpResult? AdmitScript(HttpContext http, string token)
    {
        if (tokens.Find(token) is not { } record)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            return Problems.Unauthorized("The bearer token is unknown, expired or revoked.");
        }
        if (IsWrite(http) && record.Scope == TokenScope.Read) return WriteScopeFilter.Refusal();
        http.SetOwner(new OwnerIdentity.Script(record));
        return null;
    }

    private ProblemHttpResult? AdmitBrowser(HttpContext http)
    {
        if (SessionCookie.Find(http, sessions) is not { } browser)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.Unauthorized("There is no session, or it has ended.");
        }
        if (IsWrite(http) && !SameOriginFilter.IsSameOrigin(http.Request)) return SameOriginFilter.Refusal(http.Request);
        if (IsWrite(http) && !SameText(http.Request.Headers[CsrfHeader].ToString(), browser.Session.CsrfToken))
            return Problems.Forbidden("csrf_token_invalid", $"The {CsrfHeader} header does not belong to this session.",
                "Read the token from GET /api/v1/auth/csrf.");
        http.SetOwner(browser);
        return null;
    }

    private static bool IsWrite(HttpContext http) =>
        !(HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) || HttpMethods.IsOptions(http.Request.Method));

    private static bool SameText(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
