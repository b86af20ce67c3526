using System.Collections.Immutable;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>
/// What needs the right to mount. <see cref="OwnMounter"/> does it in this process; where the service manager denies this process that right,
/// <see cref="HelperMounter"/> asks a helper. Thread-safe; one volume's calls come one at a time.
/// </summary>
internal interface IVolumeMounter
{
    /// <summary>Ids of volumes that a gocryptfs of an earlier daemon still serves.</summary>
    ImmutableHashSet<string> Left { get; }

    /// <returns>Why nothing can be mounted; null where it can be.</returns>
    Task<VolumeFault?> RefusalAsync(CancellationToken cancellationToken);

    /// <summary>Looks for what an earlier daemon left, once: before this one has mounted anything.</summary>
    Task FindLeftAsync(CancellationToken cancellationToken);

    /// <summary>Waits until no gocryptfs of an earlier daemon serves the volume any more.</summary>
    /// <param name="kill">Ends it when it has not ended in time.</param>
    /// <returns>Whether none does.</returns>
    Task<bool> EndLeftAsync(string volume, TimeSpan limit, bool kill, CancellationToken cancellationToken);

    /// <summary>Starts the gocryptfs that serves the mount. It ends with the mount, and outlives the daemon.</summary>
    /// <exception cref="IOException">It cannot be started.</exception>
    Task<VolumeServer> ServeAsync(string program, VolumePaths volume, ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <summary>Takes the mount away.</summary>
    /// <param name="lazily">Also one that is in use: it is gone from the name space at once, and for its users when the last of them closes it.</param>
    /// <returns>0, or the kernel's error number; not being mounted is none.</returns>
    Task<int> UnmountAsync(VolumePaths volume, bool lazily, CancellationToken cancellationToken);
}
