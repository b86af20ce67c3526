using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes;

/// <summary>Where one volume lies and where it is mounted. Only ids of ours become paths.</summary>
internal sealed class VolumePaths
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly StatePaths _paths;

    /// <exception cref="ArgumentException">Not an id of a volume: nothing may be made of it.</exception>
    public VolumePaths(StatePaths paths, string id)
    {
        if (!VolumeRecord.IsId(id)) throw new ArgumentException($"'{id}' is not the id of a volume.", nameof(id));
        (_paths, Id) = (paths, id);
    }

    public string Id { get; }

    /// <summary>All that lies on the disk of this volume.</summary>
    public string Folder => Path.Combine(_paths.Volumes, Id);

    public string Cipher => Path.Combine(Folder, "cipher");

    /// <summary>gocryptfs writes it last when it makes a directory, and opens none without.</summary>
    public string Configuration => Path.Combine(Cipher, "gocryptfs.conf");

    /// <summary>There from before a mount until after its clean end: where it is found before a mount, the end was not clean.</summary>
    public string UncleanMark => Path.Combine(Folder, "in-use");

    public string MountPoint => Path.Combine(_paths.Mounts, Id);

    /// <summary>The folders above, 0700: a mount is open to all users of the host for the containers' sake, and this keeps the others out.</summary>
    public void CreateParents()
    {
        Directory.CreateDirectory(_paths.Mounts, OwnerOnly);
        Directory.CreateDirectory(_paths.Volumes, OwnerOnly);
        Directory.CreateDirectory(Folder, OwnerOnly);
    }

    public void CreateCipher()
    {
        Directory.CreateDirectory(Cipher, OwnerOnly);
        AtomicFile.FlushDirectory(Folder);
        AtomicFile.FlushDirectory(_paths.Volumes);
    }
}
