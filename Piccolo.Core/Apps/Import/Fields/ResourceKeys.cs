using System.Globalization;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Memory, processors, and folders in memory.</summary>
internal static class ResourceKeys
{
    private const long DefaultFolder = 64L << 20;

    public static void Tmpfs(ImportContext context, ServicePlan service, Field field)
    {
        if (context.Single(field) is { } single) Folder(context, service, field, single);
        foreach (var item in field.Items()) Folder(context, service, item, context.Single(item) ?? "");
    }

    public static void AddMemory(ImportContext context, ServicePlan service, Field field, string target, long bytes)
    {
        if (!ContainerPath.TryNormaliseMount(target, out var path, out var error)) context.Report.Add(field, ImportVerdict.Refused, error);
        else if (service.TemporaryFolders.Count == ManifestLimits.TemporaryFolders
            || service.TemporaryFolders.Any(t => t.Path == path) || service.Mounts.Any(m => m.Path == path))
            context.Report.Add(field, ImportVerdict.Dropped, "Something else is at the same path, or there are too many folders in memory.");
        else
        {
            service.TemporaryFolders.Add((path, Math.Clamp(bytes, ManifestLimits.MinFolderBytes, ManifestLimits.MaxFolderBytes)));
            context.Report.Add(field, ImportVerdict.Translated, "A folder in memory.", "resources.tmpfs");
        }
    }

    public static void SharedMemory(ImportContext context, ServicePlan service, Field field)
    {
        if (context.Single(field) is { } text && ComposeValues.Bytes(text) is { } bytes)
            service.SharedMemory = Math.Clamp(bytes, ManifestLimits.MinFolderBytes, ManifestLimits.MaxFolderBytes);
        Say(context, field, service.SharedMemory is not null, "resources.shm");
    }

    public static void Memory(ImportContext context, ServicePlan service, Field field)
    {
        if (context.Single(field) is { } text && ComposeValues.Bytes(text) is > 0 and var bytes)
            service.Memory = Math.Clamp(bytes, ManifestLimits.MinMemoryBytes, ManifestLimits.MaxMemoryBytes);
        Say(context, field, service.Memory is not null, "resources.limits.memory");
    }

    public static void Cpus(ImportContext context, ServicePlan service, Field field)
    {
        if (decimal.TryParse(context.Single(field), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var cpus) && cpus > 0)
            service.Cpus = Math.Clamp(Math.Round(cpus, 2), 0.01m, 64m).ToString(CultureInfo.InvariantCulture);
        Say(context, field, service.Cpus is not null, "resources.limits.cpu");
    }

    public static void Scale(ImportContext context, ServicePlan service, Field field)
    {
        if (context.Whole(field) is > 1) context.Report.Add(field, ImportVerdict.Refused, "A service is one container here.");
        else context.Report.Add(field, ImportVerdict.Dropped, "A service is one container.");
    }

    public static void Deploy(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var part in field.Items())
        {
            if (part.Key == "replicas") Scale(context, service, part);
            else if (part.Key == "resources") Resources(context, service, part);
            else context.Report.Add(part, ImportVerdict.Dropped, "It is for a cluster of machines.");
        }
        if (field.Value is not ManifestNode.Mapping) context.Report.Add(field, ImportVerdict.Dropped, "It says nothing.");
    }

    private static void Resources(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var part in field.Items())
        {
            foreach (var limit in part.Items())
            {
                if (part.Key == "limits" && limit.Key == "cpus") Cpus(context, service, limit);
                else if (part.Key == "limits" && limit.Key == "memory") Memory(context, service, limit);
                else if (limit.Key == "devices") DeviceKeys.Gpus(context, service, limit);
                else context.Report.Add(limit, ImportVerdict.Dropped, "The box reserves nothing for one service, and limits processes itself.");
            }
            if (part.Value is not ManifestNode.Mapping) context.Report.Add(part, ImportVerdict.Dropped, "It says nothing.");
        }
    }

    private static void Folder(ImportContext context, ServicePlan service, Field field, string text)
    {
        var parts = text.Split(':', 2);
        var size = parts.Length == 2 ? parts[1].Split(',').FirstOrDefault(o => o.StartsWith("size=", StringComparison.Ordinal)) : null;
        AddMemory(context, service, field, parts[0], size is not null && ComposeValues.Bytes(size[5..]) is { } bytes ? bytes : DefaultFolder);
    }

    private static void Say(ImportContext context, Field field, bool isTaken, string to) =>
        context.Report.Add(field, isTaken ? ImportVerdict.Taken : ImportVerdict.Dropped, isTaken ? "Within the manifest's bounds."
            : "There is no limit in it.", isTaken ? to : null);
}
