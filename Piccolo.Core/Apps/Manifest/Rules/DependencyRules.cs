using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Manifest.Rules;

/// <summary>The rules of <c>depends_on</c>: every service can be started after those that it waits for.</summary>
internal static class DependencyRules
{
    public static void Check(ManifestDraft draft, ManifestErrorList errors)
    {
        var services = draft.Entries.ToDictionary(s => s.Name, StringComparer.Ordinal);
        foreach (var service in services.Values)
            foreach (var (name, condition) in service.Draft.DependsOn)
            {
                var path = FieldPath.Join(service.PathOf("depends_on"), name);
                if (name == service.Name) errors.AddRule(path, ManifestErrorCodes.Circle, "A service cannot wait for itself.");
                else if (!services.TryGetValue(name, out var other))
                    errors.AddRule(path, ManifestErrorCodes.UnknownReference, "There is no such service.",
                        NearestName.Of(name, services.Keys.Where(k => k != service.Name)));
                else CheckCondition(path, condition, isOnce: other.Draft.Run == "once", errors);
            }
        foreach (var circle in Circles(services))
            errors.AddRule(
                services[circle[0]].PathOf("depends_on"), ManifestErrorCodes.Circle,
                $"These services wait for each other: {string.Join(" → ", [.. circle, circle[0]])}.");
    }

    private static void CheckCondition(string path, string condition, bool isOnce, ManifestErrorList errors)
    {
        if (condition is not ("started" or "healthy" or "completed"))
            errors.AddRule(path, ManifestErrorCodes.InvalidValue, "What is waited for is 'started', 'healthy' or 'completed'.");
        else if (condition == "completed" && !isOnce)
            errors.AddRule(path, ManifestErrorCodes.Conflict, "Only a service with 'run: once' is ever completed.");
        else if (condition == "healthy" && isOnce)
            errors.AddRule(path, ManifestErrorCodes.Conflict, "A service that runs once is waited for with 'completed'.");
    }

    /// <summary>Circles of two services and more, in the order in which they wait. Each service is in one of them at most.</summary>
    private static List<List<string>> Circles(Dictionary<string, ServiceEntry> services)
    {
        var circles = new List<List<string>>();
        var inCircle = new HashSet<string>(StringComparer.Ordinal);
        var done = new HashSet<string>(StringComparer.Ordinal);
        var trail = new List<string>();
        foreach (var name in services.Keys) Walk(name);
        return circles;

        // At most as deep as there are services.
        void Walk(string name)
        {
            if (trail.IndexOf(name) is >= 0 and var start)
            {
                if (trail.Count - start < 2 || trail[start..].Any(inCircle.Contains)) return;
                circles.Add(trail[start..]);
                inCircle.UnionWith(trail[start..]);
                return;
            }
            if (done.Contains(name)) return;
            trail.Add(name);
            foreach (var (next, _) in services[name].Draft.DependsOn)
                if (services.ContainsKey(next)) Walk(next);
            trail.RemoveAt(trail.Count - 1);
            done.Add(name);
        }
    }
}
