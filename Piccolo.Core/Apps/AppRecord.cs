using System.Collections.Immutable;
using System.Text.Json;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps;

/// <summary>What the owner wants an app to be.</summary>
public enum DesiredState
{
    Running,
    Stopped,
}

/// <summary>The two ports that a listener keeps for life.</summary>
/// <param name="Listener">The listener's name.</param>
public sealed record AppPorts(string Listener, int GuardPort, int PublicPort);

/// <summary>The owner removed an app, and its containers may still be there. Kept until they are gone.</summary>
/// <param name="IsPurge">Whether its volumes and secrets go, too; else they stay for when it is installed again.</param>
public sealed record AppRemoval(string Name, DateTimeOffset RemovedAt, bool IsPurge = false)
{
    internal static readonly StoreCollection<AppRemoval> Collection = new("app-removals");
}

/// <summary>How looking for a newer image ended.</summary>
public enum UpdateOutcome
{
    /// <summary>The registry has the image that the app runs.</summary>
    Unchanged,

    /// <summary>There is a newer one, and the app's container is recreated from it.</summary>
    Updated,
    Failed,
}

/// <param name="Detail">Why it failed; empty otherwise.</param>
public sealed record AppUpdate(DateTimeOffset At, UpdateOutcome Outcome, string Detail);

/// <summary>An installed app as the control store keeps it. Immutable.</summary>
/// <param name="ManifestText">The manifest as the owner wrote it; may hold secrets.</param>
public sealed record AppRecord(
    string Name,
    string ManifestText,
    AppManifest Manifest,
    ImmutableArray<AppPorts> Ports,
    DesiredState DesiredState,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    /// <summary>
    /// Schema 1 knew one service, and neither 1 nor 2 could close the network; their manifests go on to mean what they meant, and their text is the truth.
    /// </summary>
    internal static readonly StoreCollection<AppRecord> Collection = new("apps", Schema: 3)
    {
        Upgrade = app => AppManifestParser.ParseOfOpenNetworks(app.ManifestText).Manifest is { } manifest
            ? app with { Manifest = manifest }
            : throw new JsonException("The stored manifest is not valid."),
    };

    /// <summary>When the owner asked for a newer image; null once that was looked for.</summary>
    public DateTimeOffset? UpdateAsked { get; init; }

    public AppUpdate? LastUpdate { get; init; }

    /// <summary>By service, the image that the name stood for when it was last found to be newer than the service's.</summary>
    public ImmutableSortedDictionary<string, string> ImageIds { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>By service, the digest of the image that its container is made of, as the engine last said.</summary>
    public ImmutableSortedDictionary<string, string> ImageDigests { get; init; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public IEnumerable<PublishedListener> Listeners => Manifest.Listeners.Join(Ports, definition => definition.Name, ports => ports.Listener,
        (definition, ports) => new PublishedListener(Name, definition, ports.GuardPort, ports.PublicPort));

    /// <summary>The manifest's text is left out: it may hold secrets.</summary>
    public override string ToString() => $"{Name} desired={DesiredState}";
}
