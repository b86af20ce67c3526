using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Core.Apps.Plans;

/// <summary>The order in which an app's services start. Pure.</summary>
internal static class ServiceOrder
{
    /// <summary>Each after those that it depends on; otherwise as the manifest has them.</summary>
    /// <exception cref="InvalidOperationException">They depend on each other in a circle, which no valid manifest does.</exception>
    public static ImmutableArray<ServiceManifest> Of(ImmutableArray<ServiceManifest> services)
    {
        var result = ImmutableArray.CreateBuilder<ServiceManifest>(services.Length);
        var left = services.ToList();
        while (left.Count > 0)
        {
            var next = left.FirstOrDefault(s => s.DependsOn.Keys.All(d => left.All(l => l.Name != d)))
                ?? throw new InvalidOperationException("The services depend on each other in a circle.");
            left.Remove(next);
            result.Add(next);
        }
        return result.ToImmutable();
    }
}
