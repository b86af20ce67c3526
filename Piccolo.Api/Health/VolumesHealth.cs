using Piccolo.Core.Health;
using Piccolo.Core.Volumes;

namespace Piccolo.Api.Health;

/// <summary>Whether the apps' volumes are served, and are within their limits.</summary>
internal sealed class VolumesHealth(IAppVolumes volumes, HealthTracker health) : IHealthReporter
{
    public void Report()
    {
        var broken = volumes.Broken();
        var over = volumes.List().Where(v => v.IsOverLimit).Select(v => $"{v.App}/{v.Name}").ToList();
        if (!broken.IsEmpty) health.Degraded(HealthComponents.Volumes, $"volumes have stopped working, of: {string.Join(", ", broken)}");
        else if (over.Count > 0) health.Degraded(HealthComponents.Volumes, $"over their limit: {string.Join(", ", over)}");
        else health.Ok(HealthComponents.Volumes, volumes.Mounted() is { IsEmpty: false } mounted ? $"open, of {mounted.Length} apps" : "none is open");
    }
}
