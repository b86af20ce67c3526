using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of <c>permissions</c>, of a service and of all services.</summary>
internal static class PermissionRules
{
    private const string NotARight = "The permission is 'allow' or 'deny'.";
    private const string KernelPrefix = "CAP_";

    public static void Check(ManifestDraft draft, ManifestErrorList errors)
    {
        foreach (var service in draft.Entries) Check(service, errors);
        // The default of all services.
        if (draft.Services is not null) Check(new ServiceEntry("", "", draft.Top), errors);
    }

    private static void Check(ServiceEntry service, ManifestErrorList errors)
    {
        CheckRight(service, "permissions.network.internet", service.Draft.Internet, errors);
        CheckRight(service, "permissions.network.local_network", service.Draft.LocalNetwork, errors);
        CheckRight(service, "permissions.network.dns", service.Draft.Dns, errors);
        CheckRight(service, "permissions.new_privileges", service.Draft.NewPrivileges, errors);
        CheckCapabilities(service.PathOf("permissions.capabilities"), service.Draft.Capabilities ?? [], errors);
        var sysctls = service.PathOf("permissions.sysctls");
        foreach (var (name, value) in service.Draft.Sysctls ?? []) CheckSysctl(FieldPath.Join(sysctls, name), name, value, errors);
    }

    private static void CheckRight(ServiceEntry service, string field, string? word, ManifestErrorList errors)
    {
        if (word is not (null or "allow" or "deny")) errors.AddRule(service.PathOf(field), ManifestErrorCodes.InvalidValue, NotARight);
    }

    private static void CheckCapabilities(string path, List<string> names, ManifestErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, name) in names.Index())
        {
            if (!seen.Add(name)) errors.AddRule($"{path}[{i}]", ManifestErrorCodes.Duplicate, "The capability is given twice.");
            else if (!Capabilities.Grantable.Contains(name))
            {
                var plain = Plain(name);
                // Of what no app gets, only the reason is of use.
                var refusal = Capabilities.RefusalOf(plain) ?? (Capabilities.All.Contains(plain) && !Capabilities.Grantable.Contains(plain)
                    ? "No app gets this capability." : null);
                var meant = refusal is not null || errors.IsFull ? null
                    : Capabilities.Grantable.Contains(plain) ? plain : NearestName.Of(plain, Capabilities.Grantable);
                errors.AddRule(
                    $"{path}[{i}]", ManifestErrorCodes.InvalidValue,
                    refusal ?? (meant is null ? "There is no such capability for apps." : $"There is no such capability for apps; '{meant}' is near."), meant);
            }
        }
    }

    private static void CheckSysctl(string path, string name, string value, ManifestErrorList errors)
    {
        if (name.Length > ManifestLimits.SysctlLength || !ManifestPatterns.IsSysctl().IsMatch(name))
            errors.AddRule(path, ManifestErrorCodes.InvalidValue,
                "Only settings of the service's own network can be given: names with 'net.' first, lower-case letters, digits, '_', '-' and single dots.");
        else if (!ManifestPatterns.IsSysctlValue().IsMatch(value))
            errors.AddRule(
                path, ManifestErrorCodes.InvalidValue, "A setting has 1 to 8 words of letters, digits, '.', '_' and '-', with single spaces between them.");
    }

    /// <summary>As manifests write it, of what the kernel or somebody in a hurry writes.</summary>
    private static string Plain(string name)
    {
        const int enough = 40;
        var upper = name.Length <= enough ? name.ToUpperInvariant() : name;
        return upper.StartsWith(KernelPrefix, StringComparison.Ordinal) ? upper[KernelPrefix.Length..] : upper;
    }
}
