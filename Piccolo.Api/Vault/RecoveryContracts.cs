using FluentValidation;
using Piccolo.Core.Vault;

namespace Piccolo.Api.Vault;

/// <param name="SetupCode">Only where the appliance shows one on its console.</param>
public sealed record SetUpRequest(string? Password, string? SetupCode);

/// <param name="RecoveryKey">The 24 words, in any case and spacing, with or without numbering.</param>
public sealed record ResetPasswordRequest(string? RecoveryKey, string? NewPassword);

/// <param name="Present">Whether there is a recovery key.</param>
/// <param name="Stale">Whether it was used for a reset since it was made.</param>
public sealed record RecoveryKeyResponse(bool Present, bool Stale);

public sealed record GenerateRecoveryKeyRequest(string? Password);

/// <param name="Words">Shown in this answer only.</param>
public sealed record RecoveryWordsResponse(IReadOnlyList<string> Words);

internal static class PasswordRules
{
    public static IRuleBuilderOptions<T, string?> IsPassword<T>(this IRuleBuilder<T, string?> rule) =>
        rule.NotEmpty().MaximumLength(PasswordRequestValidator.MaxLength);
}

internal sealed class SetUpRequestValidator : AbstractValidator<SetUpRequest>
{
    public SetUpRequestValidator()
    {
        RuleFor(r => r.Password).IsPassword();
        RuleFor(r => r.SetupCode).MaximumLength(64);
    }
}

internal sealed class ResetPasswordRequestValidator : AbstractValidator<ResetPasswordRequest>
{
    public ResetPasswordRequestValidator()
    {
        RuleFor(r => r.RecoveryKey).NotEmpty().MaximumLength(RecoveryPhrase.MaxTextLength);
        RuleFor(r => r.NewPassword).IsPassword();
    }
}

internal sealed class GenerateRecoveryKeyRequestValidator : AbstractValidator<GenerateRecoveryKeyRequest>
{
    public GenerateRecoveryKeyRequestValidator() => RuleFor(r => r.Password).MaximumLength(PasswordRequestValidator.MaxLength);
}
