using FluentValidation;
using Piccolo.Core.Auth;

namespace Piccolo.Api.Auth;

/// <summary>A plain confirmation.</summary>
public sealed record MessageResponse(string Message)
{
    public static readonly MessageResponse Ok = new("ok");
}

public sealed record LoginRequest(string? Username, string? Password);

public sealed record SessionResponse(
    bool Authenticated, string User, DateTimeOffset ExpiresAt, bool VolumesLocked, bool PasswordStale, bool RecoveryStale);

public sealed record InitializedResponse(bool Initialized);

public sealed record CsrfResponse(string Token);

/// <param name="Name">For the owner's list, 1 to 64 characters.</param>
/// <param name="Scope"><c>read</c> or <c>write</c>; default <c>write</c>.</param>
/// <param name="ExpiresInDays">1 to 3650; without it the token lasts until it is revoked.</param>
public sealed record CreateTokenRequest(string? Name, TokenScope? Scope, int? ExpiresInDays);

/// <param name="Token">Shown in this answer only.</param>
public sealed record CreatedTokenResponse(string Id, string Name, TokenScope Scope, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, string Token);

public sealed record TokenResponse(string Id, string Name, TokenScope Scope, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

public sealed record TokensResponse(IReadOnlyList<TokenResponse> Tokens);

internal static class AuthMapping
{
    public static TokenResponse ToResponse(this ApiToken token) => new(token.Id, token.Name, token.Scope, token.CreatedAt, token.ExpiresAt);
}

internal sealed class LoginRequestValidator : AbstractValidator<LoginRequest>
{
    public LoginRequestValidator()
    {
        RuleFor(r => r.Username).NotEmpty().MaximumLength(64);
        RuleFor(r => r.Password).NotEmpty().MaximumLength(1024);
    }
}

internal sealed class CreateTokenRequestValidator : AbstractValidator<CreateTokenRequest>
{
    public CreateTokenRequestValidator()
    {
        RuleFor(r => r.Name).NotEmpty().MaximumLength(64);
        RuleFor(r => r.Scope).IsInEnum();
        RuleFor(r => r.ExpiresInDays).InclusiveBetween(1, 3650);
    }
}
