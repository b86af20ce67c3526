using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The names that the manifest's author gives: of services, their aliases, volumes and secrets.</summary>
internal static partial class NameRules
{
    private const string LabelSentence = "1 to 63 lower-case letters, digits and inner hyphens";

    public static void Check(ManifestDraft draft, ManifestErrorList errors)
    {
        foreach (var (name, _) in draft.Services ?? [])
        {
            var path = FieldPath.Join("services", name);
            if (!ManifestPatterns.IsLabel().IsMatch(name))
                errors.AddRule(path, ManifestErrorCodes.InvalidValue, $"A service's label is a host name on the app's network: {LabelSentence}.");
            else if (IsTaken(name)) errors.AddRule(path, ManifestErrorCodes.InvalidValue, "This name has another meaning on every network.");
        }
        CheckAliases(draft, errors);
        foreach (var (name, _) in draft.Volumes)
            if (!ManifestPatterns.IsLabel().IsMatch(name))
                errors.AddRule(FieldPath.Join("storage.persistent", name), ManifestErrorCodes.InvalidValue, $"A volume's name has {LabelSentence}.");
        foreach (var (name, _) in draft.Secrets)
            if (!ManifestPatterns.IsSecretName().IsMatch(name))
                errors.AddRule(FieldPath.Join("secrets", name), ManifestErrorCodes.InvalidValue,
                    "A secret's name has 1 to 63 lower-case letters, digits, inner hyphens and underscores, and starts with a letter.");
    }

    private static void CheckAliases(ManifestDraft draft, ManifestErrorList errors)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var service in draft.Entries) owners.TryAdd(service.Name, service.Name);
        foreach (var service in draft.Entries)
            foreach (var (i, alias) in service.Draft.Aliases.Index())
            {
                var path = service.PathOf($"aliases[{i}]");
                if (IsTaken(alias)) errors.AddRule(path, ManifestErrorCodes.InvalidValue, "This name has another meaning on every network.");
                else if (!owners.TryAdd(alias, service.Name))
                    errors.AddRule(path, ManifestErrorCodes.Duplicate, "A service of this app has this name or alias already.");
            }
    }

    /// <summary>
    /// Names that resolvers answer themselves, or that the engine gives to the host: the service would never be reached under them. All digits are an address.
    /// </summary>
    private static bool IsTaken(string name) => TakenPattern().IsMatch(name);

    [GeneratedRegex(
        @"^(?:(?:.+\.)?localhost|.+\.internal|(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*)\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex TakenPattern();
}
