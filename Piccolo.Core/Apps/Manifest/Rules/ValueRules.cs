using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of <c>${...}</c>: every reference can be filled in, and none stands where nothing is filled in.</summary>
internal static class ValueRules
{
    private const string NotHere = "Values are filled in in 'environment' and 'command' only; '$${' stands for a literal '${'.";

    private static readonly string[] ListenerFields = ["url", "host", "port", "scheme"];

    public static void Check(ManifestDraft draft, ManifestErrorList errors)
    {
        var known = new Known(
            errors.WasRead("listeners") ? [.. (draft.Listeners ?? []).Select(l => l.Name).OfType<string>()] : null,
            errors.WasRead("secrets") ? [.. draft.Secrets.Select(s => s.Key)] : null);
        foreach (var service in draft.Entries)
        {
            foreach (var (name, value) in service.Draft.Environment)
                CheckValue(FieldPath.Join(service.PathOf("environment"), name), value, known, errors);
            foreach (var (i, word) in (service.Draft.Command ?? []).Index()) CheckValue(service.PathOf($"command[{i}]"), word, known, errors);
            CheckNone(service.PathOf("entrypoint"), service.Draft.Entrypoint, errors);
            CheckNone(service.PathOf("healthcheck.command"), service.Draft.HealthCheck?.Command, errors);
        }
    }

    private static void CheckValue(string path, string value, Known known, ManifestErrorList errors)
    {
        foreach (var reference in ManifestValues.References(value).Distinct())
            if (ErrorOf(reference, known) is { } error) errors.AddRule(path, error.Code, error.Message, error.Suggestion);
    }

    private static void CheckNone(string path, List<string>? words, ManifestErrorList errors)
    {
        foreach (var (i, word) in (words ?? []).Index())
            if (ManifestValues.References(word).Any()) errors.AddRule($"{path}[{i}]", ManifestErrorCodes.InvalidValue, NotHere);
    }

    private static (string Code, string Message, string? Suggestion)? ErrorOf(ValueReference reference, Known known) => reference.Prefix switch
    {
        "listener" when known.Listeners?.Contains(reference.Name) is false =>
            (ManifestErrorCodes.UnknownReference, "A reference names a listener that this app does not have.",
                NearestName.Of(reference.Name, known.Listeners!)),
        "listener" when reference.Field == "lan_port" => NotYet("The LAN port of a listener"),
        "listener" when !ListenerFields.Contains(reference.Field) =>
            (ManifestErrorCodes.InvalidValue, "Of a listener there are 'url', 'host', 'port' and 'scheme'.",
                NearestName.Of(reference.Field ?? "", ListenerFields)),
        "listener" => null,
        "secret" when known.Secrets?.Contains(reference.Name) is false =>
            (ManifestErrorCodes.UnknownReference, "A reference names a secret that 'secrets' does not have.", NearestName.Of(reference.Name, known.Secrets!)),
        "secret" when reference.Field is not null => NotYet("A part of a secret"),
        "secret" => null,
        "app" when reference is { Name: "name", Field: null } => null,
        "app" => (ManifestErrorCodes.InvalidValue, "Of the app there is '${app.name}'; '$${' stands for a literal '${'.", "name"),
        "device" when reference is { Name: "time_zone", Field: null } => null,
        "device" when reference.Name == "lan_address" => NotYet("The device's LAN address"),
        "device" => (ManifestErrorCodes.InvalidValue, "Of the device there is '${device.time_zone}'; '$${' stands for a literal '${'.", "time_zone"),
        "answer" => NotYet("An answer to a question"),
        "network" => NotYet("An address of the app's network"),
        _ => null,
    };

    private static (string Code, string Message, string? Suggestion) NotYet(string what) =>
        (ManifestErrorCodes.NotAvailable, $"{what} is not available as a value in this release.", null);

    /// <summary>The names that there are; null = they could not be read.</summary>
    private sealed record Known(string[]? Listeners, string[]? Secrets);
}
