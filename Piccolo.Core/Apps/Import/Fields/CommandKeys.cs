using System.Globalization;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>What a service runs, as whom, and how it ends.</summary>
internal static class CommandKeys
{
    public static void Command(ImportContext context, ServicePlan service, Field field) =>
        service.Command = Words(context, field, hasReferences: true, "command");

    public static void Entrypoint(ImportContext context, ServicePlan service, Field field) =>
        service.Entrypoint = Words(context, field, hasReferences: false, "entrypoint");

    /// <summary>A list, or a text that is split as a shell would; null for none, with the line in the report.</summary>
    public static List<string>? Words(ImportContext context, Field field, bool hasReferences, string to)
    {
        List<string>? words = null;
        if (field.Value is ManifestNode.Scalar { IsNull: false } single)
        {
            if (!ShellWords.TrySplit(Expand(single.Text), out words))
            {
                context.Report.Add(field, ImportVerdict.Refused, "A quotation mark or a backslash of the command has no end.");
                return null;
            }
        }
        else if (field.Value is ManifestNode.Sequence list && list.Items.All(i => i is ManifestNode.Scalar))
            words = [.. list.Items.Cast<ManifestNode.Scalar>().Select(i => Expand(i.Text))];
        else if (!field.Value.IsEmpty) context.Report.Add(field, ImportVerdict.Refused, $"A command is a text or a list, not {field.Value.Shape}.");
        if (words is not { Count: > 0 })
        {
            context.Report.Add(field, ImportVerdict.Dropped, "It is empty; the image's own is used.");
            return null;
        }
        if (IsAllowed(words))
        {
            context.Report.Add(field, field.Value is ManifestNode.Scalar ? ImportVerdict.Translated : ImportVerdict.Taken, "The words stay as they are.", to);
            return words;
        }
        context.Report.Add(field, ImportVerdict.Refused,
            $"A command has at most {ManifestLimits.Words} words of {ManifestLimits.WordLength} characters, none of them a control character.");
        return null;

        string Expand(string text) => hasReferences ? context.Text(text, field) : context.Plain(text, field);
    }

    public static bool IsAllowed(List<string> words) => words.Count <= ManifestLimits.Words
        && words.All(w => References.Write(w).Length <= ManifestLimits.WordLength && !HasControl(References.Without(w)));

    public static bool HasControl(string text) => text.Any(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r'));

    public static void WorkingDirectory(ImportContext context, ServicePlan service, Field field)
    {
        var path = context.Single(field);
        if (path is not null && ContainerPath.TryNormalise(path, out _, out _)) service.WorkingDirectory = path;
        Say(context, field, service.WorkingDirectory, "working_dir");
    }

    public static void User(ImportContext context, ServicePlan service, Field field)
    {
        var user = context.Single(field);
        if (user is not null && ManifestPatterns.IsUser().IsMatch(user) && user.Split(':').All(IsSmall)) service.User = user;
        Say(context, field, service.User, "user");
    }

    public static void Hostname(ImportContext context, ServicePlan service, Field field)
    {
        var name = context.Single(field)?.ToLowerInvariant();
        if (name is { Length: <= ManifestLimits.HostnameLength } && name.Split('.').All(DomainName.IsLabel)) service.Hostname = name;
        if (name is not null) service.Aliases.Add(name);
        Say(context, field, service.Hostname, "hostname");
    }

    public static void Init(ImportContext context, ServicePlan service, Field field)
    {
        service.HasInit = context.Truth(field) ?? false;
        context.Report.Add(field, ImportVerdict.Taken, "A small init process, as the file has it.", "init");
    }

    public static void StopSignal(ImportContext context, ServicePlan service, Field field)
    {
        var signal = context.Single(field)?.ToUpperInvariant() switch
        {
            "1" => "SIGHUP",
            "2" => "SIGINT",
            "3" => "SIGQUIT",
            "9" => "SIGKILL",
            "15" => "SIGTERM",
            var name => name,
        };
        if (signal is not null && ManifestPatterns.IsSignal().IsMatch(signal)) service.StopSignal = signal;
        Say(context, field, service.StopSignal, "stop.signal");
    }

    public static void StopGrace(ImportContext context, ServicePlan service, Field field)
    {
        if (context.Single(field) is { } text && ComposeValues.Duration(text) is { } grace)
            service.StopGrace = TimeSpan.FromSeconds(Math.Ceiling(Math.Clamp(
                grace.TotalSeconds, ManifestLimits.MinStopGrace.TotalSeconds, ManifestLimits.MaxStopGrace.TotalSeconds)));
        Say(context, field, service.StopGrace, "stop.grace");
    }

    public static void Restart(ImportContext context, ServicePlan service, Field field)
    {
        var policy = context.Single(field)?.ToLowerInvariant() ?? "no";
        service.MayRunOnce = policy is "no" or "false" || policy.StartsWith("on-failure", StringComparison.Ordinal);
        context.Report.Add(field, service.MayRunOnce ? ImportVerdict.Translated : ImportVerdict.Taken,
            service.MayRunOnce ? "Services are kept running, but for those that another one waits for until they have ended."
                : "Services are kept running.", "run");
    }

    private static void Say(ImportContext context, Field field, object? taken, string to)
    {
        if (taken is not null) context.Report.Add(field, ImportVerdict.Taken, "As the file has it.", to);
        else context.Report.Add(field, ImportVerdict.Dropped, "The manifest has no such value; the image's own is used.");
    }

    private static bool IsSmall(string part) =>
        !part.All(char.IsAsciiDigit) || (int.TryParse(part, CultureInfo.InvariantCulture, out var id) && id <= ManifestLimits.MaxUserId);
}
