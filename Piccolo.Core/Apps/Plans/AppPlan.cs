using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Plans;

/// <summary>One service as it is to run: its values are resolved.</summary>
/// <param name="Spec">Without the mounts, whose folders are known when the volumes are open.</param>
internal sealed record ServicePlan(ServiceManifest Manifest, ContainerSpec Spec)
{
    public string Name => Manifest.Name;

    public TimeSpan StopGrace { get; } = StopGraces.For(Manifest);

    /// <param name="folders">Where the app's volumes are mounted, by their names.</param>
    public ContainerSpec MountedAt(ImmutableSortedDictionary<string, string> folders) =>
        Spec with { Mounts = [.. Manifest.Mounts.Select(m => new BindMount(m.Path, folders[m.Volume], m.IsReadOnly))] };
}

/// <summary>All of an app as it is to run. Plans with the same <see cref="Hash"/> are the same plan.</summary>
/// <param name="Services">In the order of their start: each after those that it depends on.</param>
/// <param name="Main">The service that the app is to its owner.</param>
internal sealed record AppPlan(
    string App, ImmutableArray<ServicePlan> Services, string Main, ImmutableSortedDictionary<string, VolumeDefinition> Volumes)
{
    /// <summary>The owner's word that it comes from. Another one may make the same plan.</summary>
    public DateTimeOffset Revision { get; init; }

    public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new
    {
        Services = Services.Select(s => new { s.Spec.Hash, s.Manifest.Mounts, s.Manifest.DependsOn, s.Manifest.HealthCheck, s.Manifest.Run }),
        Volumes,
    })));

    /// <summary>The first that mounts the volume: whose image a new volume begins with.</summary>
    public (ServicePlan Service, MountDefinition Mount)? FirstMountOf(string volume)
    {
        foreach (var service in Services)
            if (service.Manifest.Mounts.FirstOrDefault(m => m.Volume == volume) is { } mount) return (service, mount);
        return null;
    }

    /// <summary>Whether another service waits for this one's health.</summary>
    public bool IsAwaited(string service) =>
        Services.Any(s => s.Manifest.DependsOn.TryGetValue(service, out var condition) && condition == DependencyCondition.Healthy);
}
