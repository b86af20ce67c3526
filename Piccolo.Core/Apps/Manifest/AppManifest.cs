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
/// <param name="Services">One to 32, in the order of the text. A manifest with <c>image</c> at the top has one, named <see cref="MainService"/>.</param>
public sealed record AppManifest(
    string Name, AppType Type, ImmutableArray<ServiceManifest> Services, ImmutableArray<ListenerDefinition> Listeners)
{
    /// <summary>The name of the service of a manifest that has no <c>services</c>.</summary>
    public const string MainService = "main";

    /// <summary>The volumes that belong to the app, by name.</summary>
    public ImmutableSortedDictionary<string, VolumeDefinition> Volumes { get; init; } =
        ImmutableSortedDictionary.Create<string, VolumeDefinition>(StringComparer.Ordinal);

    /// <summary>What is generated once and kept sealed, by name.</summary>
    public ImmutableSortedDictionary<string, SecretDefinition> Secrets { get; init; } =
        ImmutableSortedDictionary.Create<string, SecretDefinition>(StringComparer.Ordinal);

    /// <summary>The service that a listener leads to.</summary>
    public ServiceManifest ServiceOf(ListenerDefinition listener) =>
        Services.FirstOrDefault(s => s.Name == listener.Service) ?? Services[0];

    /// <summary>The service that the first listener leads to: what the app is to its owner.</summary>
    public ServiceManifest Main => Listeners.IsDefaultOrEmpty ? Services[0] : ServiceOf(Listeners[0]);

    /// <summary>The environment is left out: it may hold secrets.</summary>
    public override string ToString() => $"{Name} services={Services.Length} listeners={Listeners.Length}";
}
