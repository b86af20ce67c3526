using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Containers;

/// <summary>
/// The container engine, as far as it concerns this installation: containers without our label are neither seen nor touched. What it cannot do comes
/// back as a <see cref="ContainerFault"/> (null = done); only cancellation throws. Every call is bounded in time. Thread-safe.
/// </summary>
public interface IContainerRuntime
{
    /// <summary>False when the configuration names no engine.</summary>
    bool IsConfigured { get; }

    /// <summary>Raised when a container of ours ended or vanished, and whenever the engine is heard again after silence.</summary>
    ChangeSignal Changed { get; }

    Task<ContainerResult<ImmutableArray<ObservedContainer>>> ListAsync(CancellationToken cancellationToken);

    /// <summary>The app's container, or a null value when there is none.</summary>
    Task<ContainerResult<ObservedContainer?>> FindAsync(string app, CancellationToken cancellationToken);

    Task<ContainerResult<bool>> HasImageAsync(ImageReference image, CancellationToken cancellationToken);

    /// <summary>Compares the image that the name stands for now with the one that the app's container was made of.</summary>
    /// <returns>The id of the image where it is another one; null where it is the same, or the app has no container.</returns>
    Task<ContainerResult<string?>> NewerImageAsync(string app, ImageReference image, CancellationToken cancellationToken);

    /// <summary>Fetches the image from its registry.</summary>
    Task<ContainerFault?> PullAsync(ImageReference image, CancellationToken cancellationToken);

    /// <summary>The volumes that the container has, by their paths inside it.</summary>
    Task<ContainerResult<ImmutableSortedDictionary<string, string>>> VolumesOfAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the container. Every path that the image declares as a volume, and every volume that the app has already, is a named volume of the app: the
    /// same one whenever the container is recreated.
    /// </summary>
    /// <param name="kept">More volumes that the app has, by their paths: those of the container that this one replaces.</param>
    /// <returns>The new container's id. It is not started.</returns>
    Task<ContainerResult<string>> CreateAsync(ContainerSpec spec, ImmutableSortedDictionary<string, string> kept, CancellationToken cancellationToken);

    Task<ContainerFault?> StartAsync(string id, CancellationToken cancellationToken);

    /// <summary>Asks the app to end and kills it after <paramref name="grace"/>. Done also when it was not running.</summary>
    Task<ContainerFault?> StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Removes the container, running or not; its volumes stay. Done also when it has gone already.</summary>
    Task<ContainerFault?> RemoveAsync(string id, CancellationToken cancellationToken);

    /// <summary>Removes the app's container, running or not, and all of its volumes. Done also when nothing is left of it.</summary>
    Task<ContainerFault?> RemoveWithVolumesAsync(string app, CancellationToken cancellationToken);
}

/// <summary>A container of ours as the engine last described it.</summary>
/// <param name="App">From its label.</param>
/// <param name="SpecHash">From its label; empty when it has none.</param>
/// <param name="ExitCode">Of the last run; null before the first and while running.</param>
public sealed record ObservedContainer(string Id, string Name, string App, string SpecHash, bool IsRunning, int? ExitCode);
