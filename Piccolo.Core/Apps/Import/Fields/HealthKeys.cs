using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>How a service is asked whether it works.</summary>
internal static class HealthKeys
{
    private static readonly string[] Known = ["test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"];

    public static void Healthcheck(ImportContext context, ServicePlan service, Field field)
    {
        var plan = new HealthPlan
        {
            Field = field,
            Interval = Time("interval", ManifestLimits.MinInterval, ManifestLimits.MaxInterval),
            Timeout = Time("timeout", ManifestLimits.MinInterval, ManifestLimits.MaxTimeout),
            StartPeriod = Time("start_period", TimeSpan.Zero, ManifestLimits.MaxStartPeriod),
            Retries = field.Find("retries") is { } retries && context.Whole(retries) is { } count ? Math.Clamp(count, 1, ManifestLimits.HealthRetries) : null,
        };
        foreach (var part in field.Items().Where(p => p.Key != "test"))
            context.Report.Add(part, Known.Contains(part.Key) && part.Key != "start_interval" ? ImportVerdict.Taken : ImportVerdict.Dropped,
                part.Key == "start_interval" ? "Checks come at one interval only." : Known.Contains(part.Key) ? "Within the manifest's bounds."
                    : "The import does not know this field.");
        var isDisabled = field.Find("disable") is { } disable && context.Truth(disable) == true;
        service.Health = plan with { IsNone = isDisabled };
        if (field.Find("test") is { } test && !isDisabled) service.Health = Test(context, plan, test);
        if (field.Value is not ManifestNode.Mapping) context.Report.Add(field, ImportVerdict.Dropped, "It is no health check.");

        TimeSpan? Time(string key, TimeSpan least, TimeSpan most) =>
            field.Find(key) is { } part && context.Single(part) is { } text && ComposeValues.Duration(text) is { } time
                ? TimeSpan.FromSeconds(Math.Ceiling(Math.Clamp(time.TotalSeconds, least.TotalSeconds, most.TotalSeconds)))
                : null;
    }

    /// <summary>Words may hold secrets still: they are looked at when all variables are known.</summary>
    private static HealthPlan Test(ImportContext context, HealthPlan plan, Field test)
    {
        List<string> words = test.Value switch
        {
            ManifestNode.Scalar { IsNull: false } text => ["CMD-SHELL", context.Text(text.Text, test)],
            ManifestNode.Sequence list => [.. list.Items.OfType<ManifestNode.Scalar>().Select(i => context.Text(i.Text, test))],
            _ => [],
        };
        if (words is ["NONE", ..]) return plan with { IsNone = true };
        List<string>? command = words switch
        {
            ["CMD-SHELL", var line] when line.Trim().Length > 0 => ["sh", "-c", line],
            ["CMD-SHELL", _, ..] => ["sh", "-c", string.Join(' ', words[1..])],
            ["CMD", _, ..] => words[1..],
            _ => null,
        };
        if (command is null || !CommandKeys.IsAllowed(command))
        {
            context.Report.Add(test, ImportVerdict.Dropped, "It is no command that can be run; the image's own check is used.");
            return plan;
        }
        context.Report.Add(test, ImportVerdict.Translated, "The same command is run in the container.", "healthcheck.command");
        return plan with { Command = command };
    }
}
