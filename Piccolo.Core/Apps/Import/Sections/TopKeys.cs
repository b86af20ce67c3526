using System.Globalization;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Sections;

/// <summary>The keys at the top that are of no service. Services, volumes, networks and includes have readers of their own.</summary>
internal static class TopKeys
{
    public static void Read(ImportContext context, Field field)
    {
        switch (field.Key)
        {
            case "services" or "volumes" or "networks" or "include":
                break;
            case "name":
                if (context.Single(field) is { Length: > 0 } name) context.App.Name = name;
                context.Report.Add(field, ImportVerdict.Translated, "The app's name, in small letters.", "name");
                break;
            case "version":
                context.Report.Add(field, ImportVerdict.Dropped, "Compose does not look at it any more.");
                break;
            case "secrets" or "configs":
                foreach (var item in field.Items()) File(context, item);
                if (field.Value.IsEmpty || field.Value is not ManifestNode.Mapping) context.Report.Add(field, ImportVerdict.Dropped, "There are none.");
                break;
            case "x-casaos":
                CasaOs(context, field);
                break;
            case "models":
                context.Report.Add(field, ImportVerdict.Refused, "The box has no model runner.");
                break;
            default:
                if (field.Key.StartsWith("x-", StringComparison.Ordinal))
                    context.Report.Add(field, ImportVerdict.Dropped, "It is for another program, or stands where it is merged.");
                else context.Report.AddUnknown(field);
                break;
        }
    }

    private static void File(ImportContext context, Field item)
    {
        var isExternal = item.Find("external") is { } external && (external.Value is ManifestNode.Mapping || context.Truth(external) == true);
        context.Report.Add(item, isExternal ? ImportVerdict.Refused : ImportVerdict.Dropped, isExternal
            ? "It belongs to the other engine; the box has none of it."
            : "This release cannot put a file into a container; a password that a variable names is made up by the box.");
    }

    private static void CasaOs(ImportContext context, Field field)
    {
        var main = field.Find("main") is { } m ? context.Single(m) : null;
        if (main is not null && field.Find("port_map") is { } p && int.TryParse(context.Single(p), NumberStyles.None, CultureInfo.InvariantCulture,
            out var port)
            && port is >= 1 and <= 65535)
        {
            context.App.Fronts.Add((main, port));
            context.Report.Add(field, ImportVerdict.Translated, "Its main service and port become the app's first listener.", "listeners");
        }
        else context.Report.Add(field, ImportVerdict.Dropped, "It is for another program.");
    }
}
