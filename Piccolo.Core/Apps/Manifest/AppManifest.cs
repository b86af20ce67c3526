using System.Collections.Immutable;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>Who asked for the app.</summary>
public enum AppType
{
    User,
    System,
}

/// <summary>A valid manifest: what the owner wants of one app. Immutable; round-trips through JSON.</summary>
/// <param name="Image">In the form of <see cref="Containers.ImageReference"/>.</param>
/// <param name="MemoryBytes">Null = no limit.</param>
/// <param name="NanoCpus">Billionths of a processor; null = no limit.</param>
public sealed record AppManifest(
    string Name,
    AppType Type,
    string Image,
    ImmutableArray<ListenerDefinition> Listeners,
    ImmutableSortedDictionary<string, string> Environment,
    long? MemoryBytes,
    long? NanoCpus)
{
    /// <summary>The environment is left out: it may hold secrets.</summary>
    public override string ToString() => $"{Name} image={Image} listeners={Listeners.Length}";
}
