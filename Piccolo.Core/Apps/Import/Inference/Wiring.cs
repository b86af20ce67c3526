using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Import.Inference;

/// <summary>How the services know each other: names, and who waits for whom. Only once all are read.</summary>
internal static partial class Wiring
{
    public static void Run(ImportContext context)
    {
        Aliases(context);
        foreach (var plan in context.App.Services.SelectMany(s => s.Dependencies).Where(d => d.Condition == "completed"))
            if (context.App.Find(plan.Service) is { } once) once.IsOnce = true;
        var waits = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var service in context.App.Services)
        {
            var kept = new List<DependencyPlan>();
            foreach (var plan in service.Dependencies)
                if (Check(context, service, plan, waits) is { } good && kept.All(k => k.Service != good.Service)) kept.Add(good);
            service.Dependencies.Clear();
            service.Dependencies.AddRange(kept);
        }
    }

    private static DependencyPlan? Check(ImportContext context, ServicePlan service, DependencyPlan plan, Dictionary<string, List<string>> waits)
    {
        if (context.App.Find(plan.Service) is not { } other)
        {
            context.Report.Add(plan.Field, ImportVerdict.Dropped, "That service is not part of the app.");
            return null;
        }
        if (other == service || Reaches(other.Name, service.Name, waits))
        {
            context.Report.Add(plan.Field, ImportVerdict.Dropped, "The services would wait for each other.");
            return null;
        }
        if (!waits.TryGetValue(service.Name, out var list)) waits[service.Name] = list = [];
        list.Add(other.Name);
        var condition = other.IsOnce && plan.Condition == "healthy" ? "completed" : plan.Condition;
        context.Report.Add(plan.Field, ImportVerdict.Taken, $"It waits until the other service is {condition}.", "depends_on");
        return plan with { Condition = condition };
    }

    private static bool Reaches(string from, string to, Dictionary<string, List<string>> waits)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { from };
        var open = new Stack<string>([from]);
        while (open.TryPop(out var name))
        {
            if (name == to) return true;
            foreach (var next in waits.GetValueOrDefault(name) ?? [])
                if (seen.Add(next)) open.Push(next);
        }
        return false;
    }

    private static void Aliases(ImportContext context)
    {
        var app = context.App;
        var taken = app.Services.Select(s => s.Label).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, alias) in context.Links) app.Find(name)?.Aliases.Add(alias);
        if (app.HasUmbrelProxy) UmbrelNames(app);
        // What compose itself calls a service comes before names that somebody gave to a container.
        foreach (var service in app.Services) service.Aliases.Insert(0, service.Name);
        foreach (var service in app.Services)
        {
            var kept = service.Aliases.Where(a => ManifestPatterns.IsAlias().IsMatch(a) && !TakenPattern().IsMatch(a)
                && taken.Add(a)).Take(ManifestLimits.Aliases).ToList();
            service.Aliases.Clear();
            service.Aliases.AddRange(kept);
        }
    }

    /// <summary>There a service is reached under the app's name, its own and a number.</summary>
    private static void UmbrelNames(ImportedApp app)
    {
        foreach (var text in app.Services.SelectMany(s => s.Environment).Select(v => v.Text))
            foreach (Match match in UmbrelPattern().Matches(text))
                app.Services.Find(s => match.Value.EndsWith($"_{s.Name}_1", StringComparison.Ordinal))?.Aliases.Add(match.Value);
    }

    [GeneratedRegex("[a-z0-9-]+_[A-Za-z0-9_.-]+_1", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex UmbrelPattern();

    // The manifest's own rule: names that resolvers and engines answer themselves.
    [GeneratedRegex(
        @"^(?:(?:.+\.)?localhost|.+\.internal|(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*)\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex TakenPattern();
}
