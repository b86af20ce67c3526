using Piccolo.Core.Auth;

namespace Piccolo.Api.Security;

/// <summary>Who the owner filter let in: a browser's session, or a script's token.</summary>
internal abstract record OwnerIdentity
{
    public sealed record Browser(string SessionId, Session Session) : OwnerIdentity;

    public sealed record Script(ApiToken Token) : OwnerIdentity;
}

internal static class OwnerIdentityExtensions
{
    public static void SetOwner(this HttpContext context, OwnerIdentity owner) => context.Features.Set(owner);

    public static bool MayWrite(this OwnerIdentity? owner) => owner is OwnerIdentity.Browser or OwnerIdentity.Script { Token.Scope: TokenScope.Write };

    /// <summary>The owner, inside a route that requires one.</summary>
    public static OwnerIdentity? Owner(this HttpContext context) => context.Features.Get<OwnerIdentity>();
}
