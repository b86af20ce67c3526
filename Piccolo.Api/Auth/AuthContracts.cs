using FluentValidation;
using Piccolo.Api.Vault;
using Piccolo.Core.Auth;

namespace Piccolo.Api.Auth;

public sealed record LoginRequest(string? Username, string? Password);

public sealed record SessionResponse(
    bool Authenticated, string User, DateTimeOffset ExpiresAt, bool VolumesLocked, bool PasswordStale, bool RecoveryStale);

/// <param name="RevokeTokens">Whether bearer tokens end with the old password; default false. Sessions always do.</param>
public sealed record ChangePasswordRequest(string? OldPassword, string? NewPassword, bool? RevokeTokens);

/// <summary>Which warnings to put away; one at least.</summary>
public sealed record StalenessRequest(bool? Password, bool? Recovery);

/// <param name="Current">Whether it is the one that asks.</param>
/// <param name="Origin">Where it began: <c>local</c>, <c>forwarded</c> or <c>tunnel</c>.</param>
/// <param name="Address">The client's address as far as it is known.</param>
public sealed record SessionItemResponse(
    string Id, bool Current, string Origin, string? Address, string? UserAgent, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt);

public sealed record SessionsResponse(IReadOnlyList<SessionItemResponse> Sessions);

public sealed record InitializedResponse(bool Initialized);

public sealed record CsrfResponse(string Token);

/// <param name="Name">For the owner's list, 1 to 64 characters.</param>
/// <param name="Scope"><c>read</c> or <c>write</c>; default <c>write</c>.</param>
/// <param name="ExpiresInDays">1 to 3650; without it the token lasts until it is revoked, or, without the password, until the session ends that made
/// it.</param>
/// <param name="Password">Needed for a token that outlives the session, or may more or lasts longer than the token, that asks for it; checked when
/// given.</param>
public sealed record CreateTokenRequest(string? Name, TokenScope? Scope, int? ExpiresInDays, string? Password);

/// <param name="Token">Shown in this answer only.</param>
public sealed record CreatedTokenResponse(string Id, string Name, TokenScope Scope, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, string Token);

/// <param name="LastUsedAt">To within an hour; absent when it was never used.</param>
public sealed record TokenResponse(string Id, string Name, TokenScope Scope, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

public sealed record TokensResponse(IReadOnlyList<TokenResponse> Tokens);

internal static class AuthMapping
{
    public static TokenResponse ToResponse(this ApiToken token) => new(token.Id, token.Name, token.Scope, token.CreatedAt, token.ExpiresAt, token.LastUsedAt);

    public static SessionItemResponse ToResponse(this Session session, bool current) => new(
        session.Handle, current, session.OriginClass.ToLowerInvariant(), session.Client.Address, session.Client.UserAgent,
        session.CreatedAt, session.LastUsedAt, session.ExpiresAt);
}

internal sealed class LoginRequestValidator : AbstractValidator<LoginRequest>
{
    public LoginRequestValidator()
    {
        RuleFor(r => r.Username).NotEmpty().MaximumLength(64);
        RuleFor(r => r.Password).IsPassword();
    }
}

internal sealed class CreateTokenRequestValidator : AbstractValidator<CreateTokenRequest>
{
    public CreateTokenRequestValidator()
    {
        RuleFor(r => r.Name).NotEmpty().MaximumLength(64);
        RuleFor(r => r.Scope).IsInEnum();
        RuleFor(r => r.ExpiresInDays).InclusiveBetween(1, 3650);
        RuleFor(r => r.Password).MaximumLength(PasswordRequestValidator.MaxLength);
    }
}

internal sealed class ChangePasswordRequestValidator : AbstractValidator<ChangePasswordRequest>
{
    public ChangePasswordRequestValidator()
    {
        RuleFor(r => r.OldPassword).IsPassword();
        RuleFor(r => r.NewPassword).IsPassword();
    }
}

internal sealed class StalenessRequestValidator : AbstractValidator<StalenessRequest>
{
    public StalenessRequestValidator() =>
        RuleFor(r => r.Password).Must((request, _) => request.Password == true || request.Recovery == true)
            .WithMessage("At least one of 'password' and 'recovery' must be true.");
}
