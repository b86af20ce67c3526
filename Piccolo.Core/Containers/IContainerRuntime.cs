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

    /// <summary>
    /// Raised when a container of ours ended or vanished, whenever the engine is heard again after silence, and when <see cref="NetworkFault"/> changed.
    /// </summary>
    ChangeSignal Changed { get; }

    /// <summary>Why what services may reach outside was not brought about the last time; null = it was.</summary>
    ContainerFault? NetworkFault { get; }

    Task<ContainerResult<ImmutableArray<ObservedContainer>>> ListAsync(CancellationToken cancellationToken);

    /// <summary>The container of an app's service, or a null value when there is none.</summary>
    Task<ContainerResult<ObservedContainer?>> FindAsync(string app, string service, CancellationToken cancellationToken);

    Task<ContainerResult<bool>> HasImageAsync(ImageReference image, CancellationToken cancellationToken);

    /// <summary>Compares the image that the name stands for now with the one that the service's container was made of.</summary>
    /// <returns>The id of the image where it is another one; null where it is the same, or the service has no container.</returns>
    Task<ContainerResult<string?>> NewerImageAsync(string app, string service, ImageReference image, CancellationToken cancellationToken);

    /// <summary>What the image says of itself. It must be here.</summary>
    Task<ContainerResult<ImageFacts>> ImageAsync(ImageReference image, CancellationToken cancellationToken);

    /// <summary>
    /// A folder of the image as a tar stream, its entries below the folder's own name; a null value where the image has no such folder. The caller disposes
    /// the stream, with which the container that was made to read it goes.
    /// </summary>
    Task<ContainerResult<Stream?>> ReadImageFolderAsync(ImageReference image, string path, CancellationToken cancellationToken);

    /// <summary>
    /// Runs a command in the running container, as its own user. What it prints is dropped. One that took longer than <paramref name="timeout"/> goes on in
    /// there; until it ends, the same command is not begun again and fails at once.
    /// </summary>
    /// <returns>The exit code; a fault of kind <see cref="ContainerFaultKind.Refused"/> where there was none in time.</returns>
    Task<ContainerResult<int>> ExecAsync(string id, ImmutableArray<string> command, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>
    /// What the container printed, oldest line first; nothing where the engine is away or knows no such container of ours. Lines of more than 16 KiB are cut.
    /// </summary>
    /// <param name="tail">At most so many of the last lines.</param>
    /// <param name="follow">Goes on with what it prints from now on until it ends.</param>
    IAsyncEnumerable<ContainerLogLine> ReadLogAsync(string id, int tail, DateTimeOffset? since, bool follow, CancellationToken cancellationToken);

    /// <summary>What the app's running containers take now. Answers within a few seconds, or not at all.</summary>
    Task<ContainerResult<ImmutableArray<ContainerUsage>>> UsageAsync(string app, CancellationToken cancellationToken);

    /// <summary>Fetches the image from its registry.</summary>
    /// <param name="progress">Is told whenever more of it is here, on the thread that reads it.</param>
    Task<ContainerFault?> PullAsync(ImageReference image, IProgress<PullProgress>? progress, CancellationToken cancellationToken);

    /// <summary>The volumes that the container has, by their paths inside it.</summary>
    Task<ContainerResult<ImmutableSortedDictionary<string, string>>> VolumesOfAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the container. Every path that the image declares as a volume, and every volume that the service has already, is a named volume of the service:
    /// the same one whenever the container is recreated. Where a mount of the spec is at the path or above it, that is what the container sees there.
    /// </summary>
    /// <param name="kept">More volumes that the service has, by their paths: those of the container that this one replaces.</param>
    /// <returns>The new container's id. It is not started.</returns>
    Task<ContainerResult<string>> CreateAsync(ContainerSpec spec, ImmutableSortedDictionary<string, string> kept, CancellationToken cancellationToken);

    /// <summary>Opens to the container what its spec lets it reach, and starts it; not where no firewall would limit it.</summary>
    Task<ContainerFault?> StartAsync(string id, CancellationToken cancellationToken);

    /// <summary>Asks the app to end and kills it after <paramref name="grace"/>. Done also when it was not running.</summary>
    Task<ContainerFault?> StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Removes the container, running or not; its volumes stay. Done also when it has gone already.</summary>
    Task<ContainerFault?> RemoveAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// Removes all containers of the app, running or not, the volumes that the engine keeps for them, and its network. Done also when nothing is left of it.
    /// </summary>
    Task<ContainerFault?> RemoveWithVolumesAsync(string app, CancellationToken cancellationToken);
}

/// <summary>A container of ours as the engine last described it.</summary>
/// <param name="App">From its label.</param>
/// <param name="Service">From its label; the main one where it has none.</param>
/// <param name="SpecHash">From its label; empty when it has none.</param>
/// <param name="ExitCode">Of the last run; null before the first and while running.</param>
public sealed record ObservedContainer(string Id, string Name, string App, string Service, string SpecHash, bool IsRunning, int? ExitCode)
{
    /// <summary>On the app's network, while it runs; null where the engine did not say.</summary>
    public string? Address { get; init; }

    /// <summary>The address that it was made with; null where the engine gives one.</summary>
    public string? FixedAddress { get; init; }

    /// <summary>What it may reach outside, from its label.</summary>
    public NetworkRights Rights { get; init; }
}

/// <summary>What an image says of itself.</summary>
/// <param name="Volumes">The paths that it declares as volumes, normalised.</param>
/// <param name="HealthCommand">What it runs to see whether it works; empty where it declares none.</param>
public sealed record ImageFacts(string Id, ImmutableArray<string> Volumes, ImmutableArray<string> HealthCommand)
{
    /// <summary>Of its manifest, such as <c>sha256:…</c>: by this its registry knows it. Null where the engine did not say.</summary>
    public string? Digest { get; init; }
}

/// <summary>What a running container takes.</summary>
/// <param name="CpuTime">Of all processors together, since it started.</param>
public sealed record ContainerUsage(string Service, long MemoryBytes, TimeSpan CpuTime);

/// <summary>What an app printed, which may be anything.</summary>
/// <param name="Text">One line without its end.</param>
public readonly record struct ContainerLogLine(DateTimeOffset At, bool IsError, string Text);

/// <summary>How much of an image is here.</summary>
/// <param name="DoneBytes">Of the layers that were begun, as the registry packed them. Never falls.</param>
/// <param name="TotalBytes">Of the same layers: it grows as more are begun. Null while no size is known.</param>
public readonly record struct PullProgress(long DoneBytes, long? TotalBytes);
