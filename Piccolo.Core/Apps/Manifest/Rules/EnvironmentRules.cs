using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of a service's variables.</summary>
internal static class EnvironmentRules
{
    public static void Check(ServiceEntry service, ManifestErrorList errors)
    {
        foreach (var (name, value) in service.Draft.Environment)
            if (ErrorOf(name, value) is { } error) errors.AddRule(FieldPath.Join(service.PathOf("environment"), name), error.Code, error.Message);
    }

    private static (string Code, string Message)? ErrorOf(string name, string value)
    {
        if (name.Length > ManifestLimits.VariableNameLength || !ManifestPatterns.IsVariableName().IsMatch(name))
            return (ManifestErrorCodes.InvalidValue,
                $"A variable's name has letters, digits and '_', does not start with a digit, and has at most {ManifestLimits.VariableNameLength} characters.");
        if (value.Length > ManifestLimits.VariableLength)
            return (ManifestErrorCodes.OutOfRange, $"A variable's value has at most {ManifestLimits.VariableLength} characters.");
        return value.Any(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r'))
            ? (ManifestErrorCodes.InvalidValue, "A variable's value has no control characters.")
            : null;
    }
}
