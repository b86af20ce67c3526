using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>What a service wants to be allowed.</summary>
internal static class PermissionKeys
{
    private const string NotYet = " This release cannot give it yet; the service runs without.";

    private static readonly string[] OfAll = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];
    private static readonly string[] Shown = ["NET_RAW", "SYS_CHROOT", "SETFCAP", "SETPCAP", "FSETID", "AUDIT_WRITE", "SYS_NICE", "MKNOD"];
    private static readonly string[] Confirmed = ["NET_ADMIN", "SYS_PTRACE", "IPC_LOCK", "DAC_READ_SEARCH", "PERFMON", "SYS_RESOURCE"];
    private static readonly string[] Spare = ["SYS_MODULE", "SYS_TIME"];

    public static void Add(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
            Capability(context, service, item, (context.Single(item) ?? "").ToUpperInvariant().Replace("CAP_", "", StringComparison.Ordinal));
        if (field.Value is not ManifestNode.Sequence) context.Report.Add(field, ImportVerdict.Dropped, "It names no capability.");
    }

    public static void Drop(ImportContext context, ServicePlan service, Field field)
    {
        var names = field.Items().Select(i => context.Single(i)?.ToUpperInvariant()).ToList();
        // Without any of the seven that an app has anyway: only where nothing is added again.
        service.DropsAllCapabilities = names.Contains("ALL") && service.Field.Find("cap_add") is null or { Value.IsEmpty: true };
        var isTaken = service.DropsAllCapabilities && ReleaseFeatures.CanHaveNoCapabilities;
        context.Report.Add(field, isTaken ? ImportVerdict.Taken : ImportVerdict.Dropped,
            isTaken ? "The service gets no capability." : "A service has seven of the fourteen capabilities that the other engine gives.",
            isTaken ? "permissions.capabilities" : null);
    }

    public static void ReadOnly(ImportContext context, ServicePlan service, Field field)
    {
        service.IsRootReadOnly = context.Truth(field) ?? false;
        context.Report.Add(field, ImportVerdict.Taken, "As the file has it.", "permissions.filesystem.read_only_root");
    }

    public static void Privileged(ImportContext context, ServicePlan service, Field field)
    {
        if (context.Truth(field) is not true) context.Report.Add(field, ImportVerdict.Dropped, "No app is privileged.");
        else context.Grant(service, "privileged", field, isConfirmed: true,
            "No app gets the whole box. It runs as any other app, without devices in this release: confirm that it may try.");
    }

    public static void SecurityOptions(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items()) SecurityOption(context, service, item, (context.Single(item) ?? "").Replace('=', ':'));
        if (field.Value is not ManifestNode.Sequence) context.Report.Add(field, ImportVerdict.Dropped, "It says nothing.");
    }

    public static void Sysctls(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            var text = item.Value is ManifestNode.Scalar scalar ? context.Plain(ComposeValues.TextOf(scalar) ?? "", item) : "";
            var (name, value) = field.Value is ManifestNode.Mapping ? (item.Key, text)
                : text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? (text[..at].Trim(), text[(at + 1)..].Trim()) : (text, "");
            if (!name.StartsWith("net.", StringComparison.Ordinal))
                context.Report.Add(item, ImportVerdict.Refused, "Only settings of the app's own network (net.*) can be changed, not those of the box.");
            else if (ReleaseFeatures.CanHaveSysctl(name, value))
            {
                service.Sysctls.Add((name, value));
                context.Grant(service, $"setting {ImportContext.Shown(name)}", item, isConfirmed: false, "A setting of the app's own network.");
            }
            else context.Report.Add(item, ImportVerdict.Dropped, "This release cannot change settings of the app's network; the service runs without.");
        }
        if (field.Value is ManifestNode.Scalar) context.Report.Add(field, ImportVerdict.Dropped, "It says nothing.");
    }

    private static void Capability(ImportContext context, ServicePlan service, Field field, string name)
    {
        if (OfAll.Contains(name)) context.Report.Add(field, ImportVerdict.Taken, "Every app has it.");
        else if (Shown.Contains(name) || Confirmed.Contains(name))
        {
            var can = ReleaseFeatures.CanHaveCapability(name);
            if (can && !service.Capabilities.Contains(name)) service.Capabilities.Add(name);
            context.Grant(service, $"capability {name}", field, Confirmed.Contains(name),
                (Confirmed.Contains(name) ? $"The owner has to allow the capability {name}." : $"The service gets the capability {name}.")
                + (can ? "" : NotYet));
        }
        else if (Spare.Contains(name))
            context.Report.Add(field, ImportVerdict.Dropped, $"No app gets {name}, which reaches the whole box; apps that ask for it work without.");
        else context.Report.Add(field, ImportVerdict.Refused,
            $"No app gets {(name.Length == 0 ? "it" : ImportContext.Shown(name))}: it reaches the whole box.");
    }

    private static void SecurityOption(ImportContext context, ServicePlan service, Field field, string option)
    {
        if (option is "no-new-privileges" or "no-new-privileges:true") context.Report.Add(field, ImportVerdict.Taken, "No service gains privileges.");
        else if (option == "no-new-privileges:false")
        {
            service.HasNewPrivileges = ReleaseFeatures.CanHaveNewPrivileges;
            context.Grant(service, "new privileges", field, isConfirmed: true,
                "The owner has to allow that programs of the service gain privileges." + (service.HasNewPrivileges ? "" : NotYet));
        }
        else if (!option.EndsWith("unconfined", StringComparison.Ordinal)) context.Report.Add(field, ImportVerdict.Dropped, "The box's own profiles hold.");
        else if (service.Image.Contains("mariadb", StringComparison.Ordinal))
            context.Report.Add(field, ImportVerdict.Dropped, "MariaDB works with the profiles that every app has.");
        else context.Grant(service, "confinement", field, isConfirmed: true, "No app runs without the kernel's guards: confirm that it may try with them.");
    }
}
