using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Networks of a service. The box gives each app one network of its own, in which all its services reach each other.</summary>
internal static class NetworkKeys
{
    private static readonly string[] OfProxies = ["proxy", "traefik", "caddy", "nginx", "npm", "swag", "web", "frontend", "ingress", "external", "public"];

    public static void Networks(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            var name = field.Value is ManifestNode.Mapping ? item.Key : context.Single(item);
            if (name is not null) service.Networks.Add(name);
            if (item.Find("aliases") is { } aliases)
                foreach (var alias in aliases.Items())
                    if (context.Single(alias) is { } text) service.Aliases.Add(text);
        }
        context.Report.Add(field, ImportVerdict.Translated, "All services of the app share one network; names on it stay, addresses do not.", "aliases");
    }

    public static void Mode(ImportContext context, ServicePlan service, Field field)
    {
        var mode = context.Single(field) ?? "";
        if (mode == "host")
        {
            service.HasLan = true;
            context.Grant(service, "network of the LAN", field, isConfirmed: true,
                "No app shares the box's own network. It gets its own, reaches devices of the LAN from there, and is not found by them through broadcasts.");
        }
        else if (mode == "none")
        {
            service.HasNoNetwork = true;
            context.Report.Add(field, ReleaseFeatures.CanDenyInternet ? ImportVerdict.Translated : ImportVerdict.Dropped,
                ReleaseFeatures.CanDenyInternet ? "The service gets no internet."
                    : "This release gives every service the internet.", "permissions.network.internet");
        }
        else if (mode.StartsWith("service:", StringComparison.Ordinal))
            context.Report.Add(field, ImportVerdict.Refused,
                "This release cannot give two services one network: without it the service would not go through the other one.");
        else if (mode.StartsWith("container:", StringComparison.Ordinal))
            context.Report.Add(field, ImportVerdict.Refused, "No app shares the network of another app's container.");
        else context.Report.Add(field, ImportVerdict.Dropped, "All services of the app share one network.");
    }

    public static void ExtraHosts(ImportContext context, ServicePlan service, Field field) =>
        context.Report.Add(field, ImportVerdict.Dropped, "The manifest has no names for addresses; other machines are reached under their own.");

    /// <summary>The networks at the top of the file.</summary>
    /// <returns>Those without a way out.</returns>
    public static HashSet<string> Top(ImportContext context, Field field)
    {
        var closed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var network in field.Items())
        {
            if (network.Find("internal") is { } isInternal && context.Truth(isInternal) == true)
            {
                closed.Add(network.Key);
                context.Report.Add(network, ReleaseFeatures.CanDenyInternet ? ImportVerdict.Translated : ImportVerdict.Dropped, ReleaseFeatures.CanDenyInternet
                    ? "Services that are only here get no internet." : "This release gives every service the internet.", "permissions.network.internet");
            }
            else if (network.Find("external") is { } external && (external.Value is ManifestNode.Mapping || context.Truth(external) == true))
            {
                var isOfProxy = OfProxies.Any(p => network.Key.Contains(p, StringComparison.OrdinalIgnoreCase));
                context.Report.Add(network, isOfProxy ? ImportVerdict.Dropped : ImportVerdict.Refused,
                    isOfProxy ? "The box is the proxy in front of the app." : "It belongs to another project: this app's services would miss who is there.");
            }
            else context.Report.Add(network, ImportVerdict.Translated, "All services of the app share one network.");
        }
        if (field.Value.IsEmpty || field.Value is not ManifestNode.Mapping) context.Report.Add(field, ImportVerdict.Dropped, "There are none.");
        return closed;
    }
}
