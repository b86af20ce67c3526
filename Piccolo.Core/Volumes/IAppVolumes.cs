using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes;

/// <summary>
/// The apps' encrypted volumes: one gocryptfs directory each, open only while the appliance is unlocked and the app runs. What cannot be done comes back as
/// a <see cref="VolumeFault"/> (null = done); only cancellation throws. Thread-safe; one app's calls come one at a time.
/// </summary>
public interface IAppVolumes
{
    /// <summary>Raised after each change of what is mounted, of <see cref="Broken"/>, and of whether a volume is over its limit.</summary>
    ChangeSignal Changed { get; }

    /// <summary>
    /// Makes the volumes that are not there yet, mounts all, and fills new ones from their content. A volume that is mounted already stays as it is; one
    /// whose server has died is mounted anew.
    /// </summary>
    /// <returns>The mounted folder of each volume by its name.</returns>
    Task<VolumeResult> OpenAsync(string app, ImmutableArray<WantedVolume> volumes, CancellationToken cancellationToken);

    /// <summary>Unmounts all volumes of the app, and sees that they are. Done also when none is mounted. Works while locked.</summary>
    Task<VolumeFault?> CloseAsync(string app, CancellationToken cancellationToken);

    /// <summary>Deletes the app's volumes for good: their keys first, so that what is left of the files after a power cut opens for nobody.</summary>
    Task<VolumeFault?> PurgeAsync(string app, CancellationToken cancellationToken);

    /// <summary>The apps of which a volume is mounted, seen in the kernel's own table, or of which a server still runs.</summary>
    ImmutableArray<string> Mounted();

    /// <summary>The apps of which a volume has lost its server: they get errors until they are stopped and their volumes closed and opened again.</summary>
    ImmutableArray<string> Broken();

    /// <summary>The volumes that the store knows, of installed apps and of removed ones; empty while locked.</summary>
    ImmutableArray<VolumeView> List();

    /// <summary>The volumes that hold something, as they lie on the disk, by app and name. Throws what a locked store throws.</summary>
    ImmutableArray<StoredVolume> Stored();

    /// <summary>Sees that all volumes of the app are closed and keeps them so: opening, closing and deleting them waits until the result is disposed.</summary>
    /// <returns>A fault where one is open, and nothing is kept.</returns>
    Task<(IDisposable? Turn, VolumeFault? Fault)> RestAsync(string app, CancellationToken cancellationToken);
}

/// <summary>A volume on the disk.</summary>
/// <param name="Id">The name of its folder.</param>
/// <param name="FollowsImage">What it holds can be taken from the app's image again.</param>
public sealed record StoredVolume(string App, string Name, string Id, bool FollowsImage);

/// <summary>A volume as an app needs it.</summary>
/// <param name="Image">Changes when the content is to be taken from the image again; null = only once, into a new volume.</param>
/// <param name="Content">
/// What a new volume begins with: a tar stream of one folder, whose entries lie below the folder's name; a null stream where there is nothing.
/// Null = the volume begins empty.
/// </param>
public sealed record WantedVolume(string Name, long? SizeLimitBytes, string? Image, Func<CancellationToken, Task<Stream?>>? Content)
{
    /// <summary>The user and group of the host that stand for 0 of the app; added to every owner in <see cref="Content"/>.</summary>
    public uint FirstHostId { get; init; }

    /// <summary>The app makes the content again, or its image has it: where the volume's files are gone, as after an import, it begins anew.</summary>
    public bool CanBeMadeAnew { get; init; }
}

/// <summary>Why a volume could not be used.</summary>
public enum VolumeFaultKind
{
    /// <summary>No gocryptfs, no FUSE, or a version of gocryptfs that is known to lose data.</summary>
    NotAvailable,
    Locked,

    /// <summary>The disk, or the volume's own limit.</summary>
    Full,

    /// <summary>Something still uses it, so that it cannot be unmounted.</summary>
    Busy,

    /// <summary>Its files are not what the store knows of.</summary>
    Damaged,
    Failed,
}

/// <param name="Sentence">One plain sentence for the owner, which names the volume.</param>
/// <param name="NextStep">What the owner can do about it.</param>
public sealed record VolumeFault(VolumeFaultKind Kind, string Sentence, string NextStep);

/// <summary>Where the volumes are mounted, or why they are not.</summary>
public readonly record struct VolumeResult(ImmutableSortedDictionary<string, string>? Folders, VolumeFault? Fault);

/// <summary>A volume and how full it is.</summary>
/// <param name="UsedBytes">On the disk, encrypted, as last looked at; null where it was not seen yet or could not be.</param>
public sealed record VolumeView(string App, string Name, long? SizeLimitBytes, long? UsedBytes, DateTimeOffset CreatedAt, bool IsMounted)
{
    /// <summary>Seen to hold more than its limit. The limit is observed, not enforced by the file system.</summary>
    public bool IsOverLimit => UsedBytes > SizeLimitBytes;
}
