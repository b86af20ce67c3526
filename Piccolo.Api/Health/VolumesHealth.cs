using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Health;

/// <summary>Apps have no volumes in this release: what lies in their folder came with an import, and nobody mounts it.</summary>
internal sealed class VolumesHealth(StatePaths paths, HealthTracker health) : IHealthReporter
{
    public void Report()
    {
        var lying = Directory.Exists(paths.Volumes) ? Directory.EnumerateDirectories(paths.Volumes).Count() : 0;
        if (lying == 0) health.Ok(HealthComponents.Volumes, "no volumes");
        else health.Degraded(HealthComponents.Volumes, $"{lying} volumes came with an import; this release keeps them and does not mount them");
    }
}
