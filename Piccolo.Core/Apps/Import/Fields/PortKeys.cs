using System.Globalization;
using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Ports in all spellings. What they become is decided when all services are read.</summary>
internal static partial class PortKeys
{
    private const int MaxRange = 16;

    public static void Ports(ImportContext context, ServicePlan service, Field field)
    {
        if (field.Value is ManifestNode.Scalar or ManifestNode.Mapping) context.Report.Add(field, ImportVerdict.Dropped, "It is no list of ports.");
        if (field.Value is not ManifestNode.Sequence) return;
        foreach (var item in field.Items())
        {
            var ports = item.Value switch
            {
                ManifestNode.Mapping => Long(context, item),
                ManifestNode.Scalar scalar => Short(context.Plain(scalar.Text, item), item),
                _ => null,
            };
            if (ports is null) context.Report.Add(item, ImportVerdict.Dropped, "It is no port, or a range of more than 16.");
            else service.Ports.AddRange(ports);
        }
    }

    /// <summary>The ports matter only where the file publishes none.</summary>
    public static void Expose(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
            if (context.Single(item) is { } text && Short(text, item) is [{ IsUdp: false } port]) service.Exposed.Add(port.Container);
        context.Report.Add(field, ImportVerdict.Dropped, "The app's own services reach each other at any port.");
    }

    /// <summary><c>[[address:]published:]container[/protocol]</c>, with ranges.</summary>
    public static List<PortPlan>? Short(string text, Field field)
    {
        var match = ShortPattern().Match(text.Trim());
        if (!match.Success || Range(match.Groups["container"].Value) is not { } container) return null;
        var published = match.Groups["published"] is { Success: true, Length: > 0 } group ? Range(group.Value) : null;
        var isLoopback = match.Groups["address"].Value is var address && (address.StartsWith("127.", StringComparison.Ordinal)
            || address is "localhost" or "[::1]" or "::1");
        var isUdp = match.Groups["protocol"].Value.Equals("udp", StringComparison.OrdinalIgnoreCase);
        return [.. container.Select((port, i) => new PortPlan(port, published?.Count == container.Count ? published[i] : null, isUdp, isLoopback, field))];
    }

    private static List<PortPlan>? Long(ImportContext context, Field field)
    {
        if (field.Find("target") is not { } target || Range(context.Single(target) ?? "") is not [var container]) return null;
        var published = field.Find("published") is { } host && Range(context.Single(host) ?? "") is [var one] ? one : (int?)null;
        var address = field.Find("host_ip") is { } ip ? context.Single(ip) ?? "" : "";
        var protocol = field.Find("protocol") is { } p ? context.Single(p) : null;
        return [new PortPlan(container, published, protocol == "udp", address.StartsWith("127.", StringComparison.Ordinal) || address == "::1", field)];
    }

    private static List<int>? Range(string text)
    {
        var ends = text.Split('-', 2);
        if (!Port(ends[0], out var first) || !Port(ends[^1], out var last) || last < first || last - first >= MaxRange) return null;
        return [.. Enumerable.Range(first, last - first + 1)];
    }

    private static bool Port(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 1 and <= 65535;

    [GeneratedRegex(
        @"^(?:(?:(?<address>\[[0-9a-fA-F:.]*\]|[0-9]+(?:\.[0-9]+){3}|localhost):)?(?<published>[0-9-]*):)?"
        + @"(?<container>[0-9]+(?:-[0-9]+)?)(?:/(?<protocol>[A-Za-z]+))?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex ShortPattern();
}
