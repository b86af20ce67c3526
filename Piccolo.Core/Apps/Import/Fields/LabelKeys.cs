using System.Globalization;
using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Labels matter where they tell a proxy which port of the app is for its visitors.</summary>
internal static partial class LabelKeys
{
    public static void Labels(ImportContext context, ServicePlan service, Field field)
    {
        var isFront = false;
        foreach (var item in field.Items())
        {
            if (item.Value is not ManifestNode.Scalar scalar) continue;
            var text = context.Quiet(scalar.Text, item);
            var (name, value) = field.Value is ManifestNode.Mapping ? (item.Key, text)
                : text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? (text[..at], text[(at + 1)..]) : (text, "");
            // Of a value that is no port the group is empty.
            if (ProxyPattern().IsMatch(name)) isFront |= AddFront(context, service, PortPattern().Match(value).Groups["port"].Value);
        }
        context.Report.Add(field, isFront ? ImportVerdict.Translated : ImportVerdict.Dropped,
            isFront ? "The port that a proxy is told becomes a listener; other labels have no effect here." : "Labels have no effect here.",
            isFront ? "listeners" : null);
    }

    public static void Runtipi(ImportContext context, ServicePlan service, Field field)
    {
        var isFront = field.Find("internal_port") is { } port && AddFront(context, service, context.Single(port));
        context.Report.Add(field, isFront ? ImportVerdict.Translated : ImportVerdict.Dropped,
            isFront ? "Its port becomes a listener." : "It is for another program.", isFront ? "listeners" : null);
    }

    private static bool AddFront(ImportContext context, ServicePlan service, string? text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535) return false;
        context.App.Fronts.Add((service.Name, port));
        return true;
    }

    [GeneratedRegex(@"^(?:traefik\.port|traefik\.http\.services\..+\.loadbalancer\.server\.port|caddy(?:_[0-9]+)?\..*reverse_proxy)\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex ProxyPattern();

    [GeneratedRegex(@"^(?:\{\{upstreams(?: https?)? (?<port>[0-9]{1,5})\}\}|(?<port>[0-9]{1,5}))\z", RegexOptions.CultureInvariant)]
    private static partial Regex PortPattern();
}
