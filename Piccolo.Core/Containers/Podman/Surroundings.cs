using System.Collections.Immutable;
using System.Net;

namespace Piccolo.Core.Containers.Podman;

/// <summary>What a new container is put into, and its spec does not say.</summary>
/// <param name="Volumes">The names of the engine's volumes by their paths in the container.</param>
/// <param name="Mounts">Folders of this device: those of the spec, and those for <see cref="MountsBelow"/>.</param>
/// <param name="Addresses">Of all the app's services on its network; empty where the only one takes what the engine gives.</param>
internal sealed record Surroundings(
    ImmutableSortedDictionary<string, string> Volumes, ImmutableArray<BindMount> Mounts, ImmutableSortedDictionary<string, IPAddress> Addresses)
{
    public static readonly ImmutableSortedDictionary<string, string> NoVolumes = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
    public static readonly ImmutableSortedDictionary<string, IPAddress> NoAddresses =
        ImmutableSortedDictionary.Create<string, IPAddress>(StringComparer.Ordinal);

    /// <summary>Images write <c>/data</c>, <c>/data/</c> and <c>data</c> for the same place.</summary>
    public static string Normal(string path) => "/" + path.Trim('/');

    /// <summary>Whether the spec itself says what the container sees at the path.</summary>
    public static bool Covers(ContainerSpec spec, string path) =>
        spec.Mounts.Any(m => Normal(m.Path) == path || IsBelow(path, Normal(m.Path))) || spec.TemporaryFolders.Keys.Any(f => Normal(f) == path);

    /// <summary>
    /// Paths that the image declares as volumes, below a mount of the spec: each is the mount's own folder there. Without these the engine would lay a volume
    /// over it that goes with the container.
    /// </summary>
    public static IEnumerable<BindMount> MountsBelow(ContainerSpec spec, IEnumerable<string> declared) =>
        from path in declared
        where spec.Mounts.All(m => Normal(m.Path) != path) && spec.TemporaryFolders.Keys.All(f => Normal(f) != path)
        let above = spec.Mounts.Where(m => IsBelow(path, Normal(m.Path))).MaxBy(m => Normal(m.Path).Length)
        where above is not null
        select above with { Path = path, Source = above.Source.TrimEnd('/') + path[Normal(above.Path).TrimEnd('/').Length..] };

    private static bool IsBelow(string path, string folder) => folder == "/" || path.StartsWith(folder + "/", StringComparison.Ordinal);
}
