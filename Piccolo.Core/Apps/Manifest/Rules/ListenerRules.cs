using System.Globalization;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of listeners beside each other and beside the services.</summary>
internal static class ListenerRules
{
    public static void Check(ManifestDraft draft, ManifestErrorList errors)
    {
        var services = draft.Entries.ToList();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var ports = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, listener) in (draft.Listeners ?? []).Index())
        {
            if (listener.Name is not null && !names.Add(listener.Name))
                errors.AddRule($"listeners[{i}].name", ManifestErrorCodes.Duplicate, "Another listener of this app has the same name.");
            CheckService(i, listener, services, errors);
            var service = listener.Service ?? services.FirstOrDefault()?.Name;
            if (listener.GuestPort is { } port && !ports.Add(string.Create(CultureInfo.InvariantCulture, $"{port} {service}")))
                errors.AddRule($"listeners[{i}].guest_port", ManifestErrorCodes.Duplicate, services.Count > 1
                    ? "Another listener leads to the same port of this service."
                    : "Another listener of this app has the same port.");
        }
    }

    private static void CheckService(int index, ListenerDraft listener, List<ServiceEntry> services, ManifestErrorList errors)
    {
        // Services that could not be read are named already.
        if (services.Count == 0) return;
        var path = $"listeners[{index}].service";
        if (listener.Service is null)
        {
            if (services.Count > 1)
                errors.AddRule(path, ManifestErrorCodes.Required, "The listener needs the service that it leads to: there is more than one.");
            else if (services is [{ Draft.Run: "once" }])
                errors.AddRule($"listeners[{index}]", ManifestErrorCodes.Conflict, "A service that runs once has no listener.");
        }
        else if (services.FirstOrDefault(s => s.Name == listener.Service) is not { } service)
            errors.AddRule(path, ManifestErrorCodes.UnknownReference, "There is no such service.",
                NearestName.Of(listener.Service, services.Select(s => s.Name)));
        else if (service.Draft.Run == "once") errors.AddRule(path, ManifestErrorCodes.Conflict, "A service that runs once has no listener.");
    }
}
