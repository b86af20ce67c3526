using FluentValidation;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of one secret by itself.</summary>
internal sealed class SecretDraftValidator : AbstractValidator<SecretDraft>
{
    public SecretDraftValidator()
    {
        RuleFor(s => s.Format).As("generate").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The secret needs its alphabet: 'alnum', 'hex', 'base64' or 'uuid'.")
            .Must(f => f is not ("vapid" or "ed25519")).WithMessage("Pairs of keys are not available in this release.")
            .WithErrorCode(ManifestErrorCodes.NotAvailable)
            .Must(f => f is "alnum" or "hex" or "base64" or "uuid").WithMessage("The alphabet is 'alnum', 'hex', 'base64' or 'uuid'.");
        RuleFor(s => s.Length).As("length").Cascade(CascadeMode.Stop)
            .Must(l => l is null or (>= ManifestLimits.MinSecretLength and <= ManifestLimits.MaxSecretLength))
            .WithMessage($"The length is from {ManifestLimits.MinSecretLength} to {ManifestLimits.MaxSecretLength}.")
            .WithErrorCode(ManifestErrorCodes.OutOfRange)
            .Must((s, l) => l is null || s.Format != "uuid").WithMessage("A UUID has no length of its own.").WithErrorCode(ManifestErrorCodes.Conflict);
    }
}
