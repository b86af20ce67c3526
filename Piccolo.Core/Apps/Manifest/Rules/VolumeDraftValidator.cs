using FluentValidation;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of one volume by itself.</summary>
internal sealed class VolumeDraftValidator : AbstractValidator<VolumeDraft>
{
    public VolumeDraftValidator()
    {
        RuleFor(v => v.Container).As("container").Custom((path, context) =>
        {
            if (path is not null && !ContainerPath.TryNormaliseMount(path, out _, out var error)) context.AddFailure(error);
        });
        RuleFor(v => v.SizeLimit).As("size_limit")
            .Must(s => RuleWords.IsNullOrSize(s, ManifestLimits.MinVolumeBytes, ManifestLimits.MaxVolumeBytes))
            .WithMessage("The size limit is a number with the unit MB, GB or TB, from 1MB to 64TB.");
        RuleFor(v => v.Kind).As("kind")
            .Must(k => k is null || VolumeKinds.Of(k) is not null).WithMessage("The kind is 'data', 'cache', 'media' or 'from_image'.");
    }
}
