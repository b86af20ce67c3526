using System.Collections.Immutable;
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

/// <summary>The owner removed an app, and its container or its volumes may still be there. Kept until they are gone.</summary>
public sealed record AppRemoval(string Name, DateTimeOffset RemovedAt)
{
    internal static readonly StoreCollection<AppRemoval> Collection = new("app-removals");
}

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
    internal static readonly StoreCollection<AppRecord> Collection = new("apps");

    public IEnumerable<PublishedListener> Listeners => Manifest.Listeners.Join(Ports, definition => definition.Name, ports => ports.Listener,
        (definition, ports) => new PublishedListener(Name, definition, ports.GuardPort, ports.PublicPort));

    /// <summary>The manifest's text is left out: it may hold secrets.</summary>
    public override string ToString() => $"{Name} desired={DesiredState}";
}
