using FluentValidation;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;
using Piccolo.Core.Containers;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of a service's own fields. Its mounts, variables and dependencies have rules of their own.</summary>
internal sealed class ServiceDraftValidator : AbstractValidator<ServiceDraft>
{
    public ServiceDraftValidator()
    {
        RuleFor(s => s.Image).As("image").Cascade(CascadeMode.Stop)
            .NotEmpty().WithMessage("The service needs an image.")
            .Custom((image, context) =>
            {
                if (!ImageReference.TryParse(image!, out _, out var error)) context.AddFailure(error);
            });
        Command(s => s.Command, "command");
        Command(s => s.Entrypoint, "entrypoint");
        RuleFor(s => s.User).As("user").Cascade(CascadeMode.Stop)
            .Must(u => u is null || ManifestPatterns.IsUser().IsMatch(u))
            .WithMessage("The user is a number or a name, and may have a group after ':'.")
            .Must(u => u is null || u.Split(':').All(IsNameOrSmallNumber))
            .WithMessage($"The number of a user or a group is at most {ManifestLimits.MaxUserId}.")
            .WithErrorCode(ManifestErrorCodes.OutOfRange);
        RuleFor(s => s.WorkingDirectory).As("working_dir").Custom((path, context) =>
        {
            if (path is not null && !ContainerPath.TryNormalise(path, out _, out var error)) context.AddFailure(error);
        });
        RuleFor(s => s.Hostname).As("hostname")
            .Must(h => h is null || (h.Length <= ManifestLimits.HostnameLength && h.Split('.').All(DomainName.IsLabel)))
            .WithMessage($"A host name has at most {ManifestLimits.HostnameLength} lower-case letters, digits, inner hyphens and inner dots.");
        RuleForEach(s => s.Aliases).As("aliases")
            .Must(a => ManifestPatterns.IsAlias().IsMatch(a))
            .WithMessage($"An alias has 1 to {ManifestLimits.LabelLength} letters, digits, '_', and inner '-' and '.'.");
        RuleFor(s => s.Run).As("run").Must(r => r is null or "always" or "once").WithMessage("A service runs 'always' or 'once'.");
        RuleFor(s => s.HealthCheck!).As("healthcheck").SetValidator(new HealthCheckDraftValidator()).When(s => s.HealthCheck is not null);
        RuleFor(s => s.StopSignal).As("stop.signal")
            .Must(s => s is null || ManifestPatterns.IsSignal().IsMatch(s)).WithMessage("A signal has its name in capital letters, such as SIGTERM or SIGINT.");
        RuleFor(s => s.StopGrace).As("stop.grace")
            .Must(g => RuleWords.IsNullOrDuration(g, ManifestLimits.MinStopGrace, ManifestLimits.MaxStopGrace))
            .WithMessage("The grace is a time with the units s, m, h, from 1s to 10m.");
        RuleFor(s => s.Memory).As("resources.limits.memory")
            .Must(m => RuleWords.IsNullOrSize(m, ManifestLimits.MinMemoryBytes, ManifestLimits.MaxMemoryBytes))
            .WithMessage("The memory limit is a number with the unit MB, GB or TB, from 6MB to 4TB.");
        RuleFor(s => s.Cpu).As("resources.limits.cpu")
            .Must(c => c is null || IsCpu(c))
            .WithMessage("The processor limit is a number from 0.01 to 64.");
        RuleFor(s => s.SharedMemory).As("resources.shm")
            .Must(m => RuleWords.IsNullOrSize(m, ManifestLimits.MinFolderBytes, ManifestLimits.MaxFolderBytes))
            .WithMessage("The shared memory is a number with the unit MB or GB, from 1MB to 64GB.");
    }

    private void Command(System.Linq.Expressions.Expression<Func<ServiceDraft, List<string>?>> words, string name) =>
        RuleFor(words).As(name).Cascade(CascadeMode.Stop)
            .Must(w => w is null or { Count: > 0 }).WithMessage("The command is empty; without the field it is the image's own.")
            .Must(w => w is null || CommandWords.AreShort(w)).WithMessage(CommandWords.TooLong).WithErrorCode(ManifestErrorCodes.OutOfRange)
            .Must(w => w is null || CommandWords.ArePlain(w)).WithMessage(CommandWords.NotPlain);

    private static bool IsCpu(string text) =>
        ResourceSizes.TryParseNanoCpus(text, out var cpus) && cpus is >= ManifestLimits.MinNanoCpus and <= ManifestLimits.MaxNanoCpus;

    private static bool IsNameOrSmallNumber(string part) => !part.All(char.IsAsciiDigit) || (int.TryParse(part, out var id) && id <= ManifestLimits.MaxUserId);
}

/// <summary>The rules of a command's words.</summary>
internal static class CommandWords
{
    public const string NotPlain = "A word of a command has no control characters.";

    public static readonly string TooLong = $"A command has at most {ManifestLimits.Words} words of at most {ManifestLimits.WordLength} characters.";

    public static bool AreShort(List<string> words) => words.Count <= ManifestLimits.Words && words.All(w => w.Length <= ManifestLimits.WordLength);

    public static bool ArePlain(List<string> words) => !words.Any(w => w.Any(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r')));
}
