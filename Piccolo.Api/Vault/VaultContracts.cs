using FluentValidation;

namespace Piccolo.Api.Vault;

/// <param name="Initialized">Whether a key set exists.</param>
/// <param name="Locked">Whether it is closed; false when there is none.</param>
public sealed record CryptoStatusResponse(bool Initialized, bool Locked);

public sealed record PasswordRequest(string? Password);

internal sealed class PasswordRequestValidator : AbstractValidator<PasswordRequest>
{
    // One answer costs an Argon2 run; what no password can be is refused before.
    public const int MaxLength = 1024;

    public PasswordRequestValidator() => RuleFor(r => r.Password).NotEmpty().MaximumLength(MaxLength);
}
