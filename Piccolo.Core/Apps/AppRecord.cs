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
    internal static readonly StoreCollection<AppRecord> Collection = new("apps");

    /// <summary>When the owner asked for a newer image; null once that was looked for.</summary>
    public DateTimeOffset? UpdateAsked { get; init; }

    public AppUpdate? LastUpdate { get; init; }

    /// <summary>The image that the name stood for when it was last found to be newer than the app's; null while it never was.</summary>
    public string? ImageId { get; init; }

    public IEnumerable<PublishedListener> Listeners => Manifest.Listeners.Join(Ports, definition => definition.Name, ports => ports.Listener,
        (definition, ports) => new PublishedListener(Name, definition, ports.GuardPort, ports.PublicPort));

    /// <summary>The manifest's text is left out: it may hold secrets.</summary>
    public override string ToString() => $"{Name} desired={DesiredState}";
}
