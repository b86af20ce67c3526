using System.Collections.Frozen;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Takes one key of a service over, and says in the report what became of it.</summary>
internal delegate void ServiceKey(ImportContext context, ServicePlan service, Field field);

/// <summary>Which key of a service is for whom. Volumes are not among them: they belong to the app.</summary>
internal static class ServiceKeys
{
    private static readonly FrozenDictionary<string, ServiceKey> Keys = new Dictionary<string, ServiceKey>(StringComparer.Ordinal)
    {
        ["image"] = (_, _, _) => { },
        ["extends"] = (_, _, _) => { },
        ["profiles"] = (context, _, field) => context.Report.Add(field, ImportVerdict.Taken, "COMPOSE_PROFILES names a profile of this service."),
        ["build"] = BuildKeys.Build,
        ["command"] = CommandKeys.Command,
        ["entrypoint"] = CommandKeys.Entrypoint,
        ["working_dir"] = CommandKeys.WorkingDirectory,
        ["user"] = CommandKeys.User,
        ["hostname"] = CommandKeys.Hostname,
        ["init"] = CommandKeys.Init,
        ["stop_signal"] = CommandKeys.StopSignal,
        ["stop_grace_period"] = CommandKeys.StopGrace,
        ["restart"] = CommandKeys.Restart,
        ["environment"] = EnvironmentKeys.Environment,
        ["env_file"] = (_, _, _) => { },
        ["secrets"] = SecretKeys.Secrets,
        ["configs"] = SecretKeys.Configs,
        ["ports"] = PortKeys.Ports,
        ["expose"] = PortKeys.Expose,
        ["labels"] = LabelKeys.Labels,
        ["x-runtipi"] = LabelKeys.Runtipi,
        ["depends_on"] = DependencyKeys.DependsOn,
        ["links"] = DependencyKeys.Links,
        ["container_name"] = DependencyKeys.ContainerName,
        ["networks"] = NetworkKeys.Networks,
        ["network_mode"] = NetworkKeys.Mode,
        ["extra_hosts"] = NetworkKeys.ExtraHosts,
        ["healthcheck"] = HealthKeys.Healthcheck,
        ["tmpfs"] = ResourceKeys.Tmpfs,
        ["shm_size"] = ResourceKeys.SharedMemory,
        ["mem_limit"] = ResourceKeys.Memory,
        ["cpus"] = ResourceKeys.Cpus,
        ["scale"] = ResourceKeys.Scale,
        ["deploy"] = ResourceKeys.Deploy,
        ["read_only"] = PermissionKeys.ReadOnly,
        ["cap_add"] = PermissionKeys.Add,
        ["cap_drop"] = PermissionKeys.Drop,
        ["security_opt"] = PermissionKeys.SecurityOptions,
        ["privileged"] = PermissionKeys.Privileged,
        ["sysctls"] = PermissionKeys.Sysctls,
        ["group_add"] = DeviceKeys.Groups,
        ["devices"] = DeviceKeys.Devices,
        ["device_cgroup_rules"] = DeviceKeys.Rules,
        ["gpus"] = DeviceKeys.Gpus,
        ["runtime"] = DeviceKeys.Runtime,
        ["pid"] = NamespaceKeys.Pid,
        ["ipc"] = NamespaceKeys.Ipc,
        ["uts"] = NamespaceKeys.Other,
        ["userns_mode"] = NamespaceKeys.Other,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static void Read(ImportContext context, ServicePlan service, Field field)
    {
        if (Keys.TryGetValue(field.Key, out var key)) key(context, service, field);
        else if (PlainKeys.Dropped.TryGetValue(field.Key, out var dropped)) context.Report.Add(field, ImportVerdict.Dropped, dropped);
        else if (PlainKeys.Refused.TryGetValue(field.Key, out var refused)) context.Report.Add(field, ImportVerdict.Refused, refused);
        else if (field.Key.StartsWith("x-", StringComparison.Ordinal)) context.Report.Add(field, ImportVerdict.Dropped, "It is for another program.");
        else context.Report.AddUnknown(field);
    }
}
