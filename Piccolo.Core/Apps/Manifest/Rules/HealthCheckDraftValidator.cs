using FluentValidation;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of a health check.</summary>
internal sealed class HealthCheckDraftValidator : AbstractValidator<HealthCheckDraft>
{
    public HealthCheckDraftValidator()
    {
        RuleFor(h => h).As("").Must(h => Kinds(h) <= 1).WithMessage("A health check has one of 'http', 'tcp', 'command' and 'image'.")
            .WithErrorCode(ManifestErrorCodes.Conflict);
        RuleFor(h => h.Http!.Path).As("http.path").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The check needs the path to ask for.")
            .Must(IsHttpPath).WithMessage($"The path starts with '/' and has at most {ManifestLimits.HealthPathLength} visible ASCII characters.")
            .When(h => h.Http is not null);
        RuleFor(h => h.Http!.Port).As("http.port").Cascade(CascadeMode.Stop)
            .NotNull().WithMessage("The check needs the port to ask at.")
            .InclusiveBetween(1, 65535).WithMessage("A port is a number from 1 to 65535.")
            .When(h => h.Http is not null);
        RuleFor(h => h.Tcp!.Port).As("tcp.port").Cascade(CascadeMode.Stop)
            .NotNull().WithMessage("The check needs the port to connect to.")
            .InclusiveBetween(1, 65535).WithMessage("A port is a number from 1 to 65535.")
            .When(h => h.Tcp is not null);
        RuleFor(h => h.Command).As("command").Cascade(CascadeMode.Stop)
            .Must(c => c is null or { Count: > 0 }).WithMessage("The command is empty.")
            .Must(c => c is null || CommandWords.AreShort(c)).WithMessage(CommandWords.TooLong).WithErrorCode(ManifestErrorCodes.OutOfRange)
            .Must(c => c is null || CommandWords.ArePlain(c)).WithMessage(CommandWords.NotPlain);
        RuleFor(h => h.IsOfImage).As("image").Must(i => i is not false).WithMessage("The field is 'true', or is not there.");
        RuleFor(h => h.Interval).As("interval")
            .Must(i => RuleWords.IsNullOrDuration(i, ManifestLimits.MinInterval, ManifestLimits.MaxInterval))
            .WithMessage("The interval is a time with the units s, m, h, from 1s to 1h.");
        RuleFor(h => h.Timeout).As("timeout")
            .Must(t => RuleWords.IsNullOrDuration(t, ManifestLimits.MinInterval, ManifestLimits.MaxTimeout))
            .WithMessage("The timeout is a time with the units s, m, h, from 1s to 10m.");
        RuleFor(h => h.Retries).As("retries")
            .Must(r => r is null or (>= 1 and <= ManifestLimits.HealthRetries))
            .WithMessage($"The number of retries is from 1 to {ManifestLimits.HealthRetries}.")
            .WithErrorCode(ManifestErrorCodes.OutOfRange);
        RuleFor(h => h.StartPeriod).As("start_period")
            .Must(p => RuleWords.IsNullOrDuration(p, TimeSpan.Zero, ManifestLimits.MaxStartPeriod))
            .WithMessage("The start period is a time with the units s, m, h, from 0s to 6h.");
    }

    public static bool IsHttpPath(string? path) =>
        path is not null && path.Length <= ManifestLimits.HealthPathLength && path.StartsWith('/') && path.All(c => c is > ' ' and <= '~');

    private static int Kinds(HealthCheckDraft check) =>
        (check.Http is null ? 0 : 1) + (check.Tcp is null ? 0 : 1) + (check.Command is null ? 0 : 1) + (check.IsOfImage is null ? 0 : 1);
}
