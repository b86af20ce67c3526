using FluentValidation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of a manifest. Every broken one is reported, under the field's path in the text.</summary>
internal static class AppManifestValidator
{
    private static readonly AppDraftValidator App = new();
    private static readonly ServiceDraftValidator Service = new();
    private static readonly ListenerDraftValidator Listener = new();
    private static readonly VolumeDraftValidator Volume = new();
    private static readonly SecretDraftValidator Secret = new();

    public static void Validate(ManifestDraft draft, ManifestErrorList errors)
    {
        Check("", App, draft, errors);
        foreach (var service in draft.Entries)
        {
            Check(service.Path, Service, service.Draft, errors);
            EnvironmentRules.Check(service, errors);
            MountRules.Check(service, draft, errors);
        }
        foreach (var (i, listener) in (draft.Listeners ?? []).Index()) Check($"listeners[{i}]", Listener, listener, errors);
        foreach (var (name, volume) in draft.Volumes) Check(FieldPath.Join("storage.persistent", name), Volume, volume, errors);
        foreach (var (name, secret) in draft.Secrets) Check(FieldPath.Join("secrets", name), Secret, secret, errors);
        NameRules.Check(draft, errors);
        ListenerRules.Check(draft, errors);
        DependencyRules.Check(draft, errors);
        ValueRules.Check(draft, errors);
        PermissionRules.Check(draft, errors);
    }

    private static void Check<T>(string path, AbstractValidator<T> validator, T draft, ManifestErrorList errors)
    {
        foreach (var failure in validator.Validate(draft).Errors)
            errors.AddRule(path.Length == 0 ? failure.PropertyName : $"{path}.{failure.PropertyName}", CodeOf(failure.ErrorCode), failure.ErrorMessage);
    }

    /// <summary>A rule names its code, or is of a kind that has one.</summary>
    private static string CodeOf(string? code) => code switch
    {
        null => ManifestErrorCodes.InvalidValue,
        "NotEmptyValidator" or "NotNullValidator" => ManifestErrorCodes.Required,
        "InclusiveBetweenValidator" or "MaximumLengthValidator" => ManifestErrorCodes.OutOfRange,
        _ when code.EndsWith("Validator", StringComparison.Ordinal) => ManifestErrorCodes.InvalidValue,
        _ => code,
    };
}
