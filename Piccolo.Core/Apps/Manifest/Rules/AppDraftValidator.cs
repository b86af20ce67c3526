using FluentValidation;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of a manifest's own fields.</summary>
internal sealed class AppDraftValidator : AbstractValidator<ManifestDraft>
{
    // The last one is a path of the API below the apps.
    private static readonly string[] ReservedNames = ["api", "www", "admin", "root", "system", "piccolo", "schema"];

    // With 'services' these are the default of all services.
    private static readonly string[] OfAllServices = ["permissions"];

    public AppDraftValidator()
    {
        RuleFor(m => m.Schema).As("schema")
            .Must(s => s is null or ManifestLimits.Schema).WithMessage($"This release reads schema {ManifestLimits.Schema}.")
            .WithErrorCode(ManifestErrorCodes.NotAvailable);
        RuleFor(m => m.Name).As("name").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The app needs a name.")
            .MaximumLength(ManifestLimits.NameLength).WithMessage($"The name has at most {ManifestLimits.NameLength} characters.")
            .Must(n => ManifestPatterns.IsAppName().IsMatch(n!))
            .WithMessage("The name has lower-case letters, digits and hyphens, starts with a letter and ends with a letter or digit.")
            .Must(n => !ReservedNames.Contains(n)).WithMessage("The name is reserved for the appliance itself.");
        RuleFor(m => m.Type).As("type").Must(RuleWords.IsNullOrOneOf<AppType>).WithMessage("The type is 'user' or 'system'.");
        RuleFor(m => m.Services).As("services")
            .Must(s => s is null or { Count: > 0 }).WithMessage($"An app has 1 to {ManifestLimits.Services} services.")
            .WithErrorCode(ManifestErrorCodes.OutOfRange)
            .Must((m, s) => s is null || !m.Given.Contains("image")).WithMessage("An app has either 'image' or 'services', not both.")
            .WithErrorCode(ManifestErrorCodes.Conflict);
        RuleFor(m => m).Custom((m, context) =>
        {
            if (m.Services is null) return;
            foreach (var name in ServiceFields.Table.Names.Except(OfAllServices).Where(n => n != "image" && m.Given.Contains(n)))
                context.AddFailure(new FluentValidation.Results.ValidationFailure(name, "With 'services' this field stands below a service.")
                {
                    ErrorCode = ManifestErrorCodes.Conflict,
                });
        });
        RuleFor(m => m.Listeners).As("listeners").NotEmpty().WithMessage("The app needs at least one listener.");
    }
}
