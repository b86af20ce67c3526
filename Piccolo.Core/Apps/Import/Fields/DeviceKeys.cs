using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Devices of the box. This release gives none; what an app can do without is left out.</summary>
internal static class DeviceKeys
{
    private const string NoGpu = "This release gives no graphics processor: the service computes without.";

    public static void Devices(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            var path = item.Find("source") is { } source ? context.Single(source) : context.Single(item);
            Device(context, service, item, (path ?? "").Split(':')[0]);
        }
        if (field.Value is ManifestNode.Scalar) context.Report.Add(field, ImportVerdict.Dropped, "It names no device.");
    }

    public static void Device(ImportContext context, ServicePlan service, Field field, string path)
    {
        var name = ImportContext.Shown(path);
        if (Starts("/dev/dri", "/dev/nvidia", "/dev/kfd", "/dev/accel", "/dev/apex", "/dev/video", "/dev/snd", "/dev/vchiq", "/dev/dxg", "/dev/mali",
            "/dev/rknpu", "/dev/dma_heap"))
            context.Report.Add(field, ImportVerdict.Dropped, $"This release gives no device to an app; the service works without '{name}', more slowly.");
        else if (Starts("/dev/bus/usb") && service.Field.Find("privileged") is not null)
            context.Report.Add(field, ImportVerdict.Dropped, $"This release gives no device to an app, '{name}' neither.");
        else if (Starts("/dev/shm", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero", "/dev/fuse"))
            context.Report.Add(field, ImportVerdict.Dropped, "Every container has its own, or needs none.");
        else if (Starts("/dev/sd", "/dev/nvme", "/dev/hd", "/dev/vd", "/dev/mmcblk", "/dev/mapper", "/dev/md", "/dev/loop"))
            context.Report.Add(field, ImportVerdict.Refused, $"'{name}' is a disk of the box; no app gets one.");
        else context.Report.Add(field, ImportVerdict.Refused, $"This release gives no device to an app, and this service needs '{name}'.");

        bool Starts(params ReadOnlySpan<string> beginnings)
        {
            foreach (var beginning in beginnings)
                if (path.StartsWith(beginning, StringComparison.Ordinal)) return true;
            return false;
        }
    }

    public static void Groups(ImportContext context, ServicePlan service, Field field) =>
        context.Report.Add(field, ImportVerdict.Dropped, "Groups of the box have no meaning inside; this release gives no device to an app.");

    public static void Rules(ImportContext context, ServicePlan service, Field field) =>
        context.Report.Add(field, ImportVerdict.Dropped, "This release gives no device to an app.");

    public static void Gpus(ImportContext context, ServicePlan service, Field field) => context.Report.Add(field, ImportVerdict.Dropped, NoGpu);

    public static void Runtime(ImportContext context, ServicePlan service, Field field) =>
        context.Report.Add(field, ImportVerdict.Dropped, context.Single(field) == "nvidia" ? NoGpu : "The box has one runtime.");
}
