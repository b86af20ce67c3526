using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>What a service waits for, and under which names it is known. Whether all of it exists is seen when all services are read.</summary>
internal static class DependencyKeys
{
    public static void DependsOn(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            var name = field.Value is ManifestNode.Mapping ? item.Key : item.Value is ManifestNode.Scalar scalar ? context.Plain(scalar.Text, item) : "";
            var condition = item.Find("condition") is { } given ? context.Single(given) : null;
            service.Dependencies.Add(new DependencyPlan(name, condition switch
            {
                "service_healthy" => "healthy",
                "service_completed_successfully" => "completed",
                _ => "started",
            }, item));
        }
        if (field.Value is ManifestNode.Scalar) context.Report.Add(field, ImportVerdict.Dropped, "It names no service.");
    }

    public static void Links(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            var parts = (context.Single(item) ?? "").Split(':', 2);
            service.Dependencies.Add(new DependencyPlan(parts[0], "started", item) { });
            if (parts.Length == 2) context.Links.Add((parts[0], parts[1]));
        }
    }

    public static void ContainerName(ImportContext context, ServicePlan service, Field field)
    {
        if (context.Single(field) is { Length: > 0 } name) service.Aliases.Add(name);
        context.Report.Add(field, ImportVerdict.Translated, "The other services reach it under this name, too.", "aliases");
    }
}
