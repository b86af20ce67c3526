using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>
/// The folder that a volume is mounted on. It exists only while the volume is to be mounted, nobody may enter it, and where the file system can do so it is
/// immutable: what is not mounted takes no file, from root neither.
/// </summary>
internal static class MountPoint
{
    private const UnixFileMode Nobody = UnixFileMode.None;

    /// <summary>Makes it, or takes the one that is there.</summary>
    /// <exception cref="IOException">It cannot be made, or somebody has put files there.</exception>
    public static void Prepare(string path)
    {
        if (!Directory.Exists(path)) Directory.CreateDirectory(path, Nobody);
        else if (Directory.EnumerateFileSystemEntries(path).Any()) throw new IOException("There are files in a mount point.");
        SetImmutable(path, true);
    }

    /// <summary>Removes it. Where something is mounted, or somebody has put files, it stays.</summary>
    public static void Remove(string path)
    {
        if (!Directory.Exists(path) || IsMounted(path, out _) || Directory.EnumerateFileSystemEntries(path).Any()) return;
        SetImmutable(path, false);
        Directory.Delete(path);
    }

    /// <summary>Whether a file system of its own is there: the device is not the parent folder's. A mount whose server has died counts.</summary>
    /// <param name="isDead">Its server has died.</param>
    public static bool IsMounted(string path, out bool isDead)
    {
        var facts = FileFacts.Of(path, out var error);
        isDead = error == Posix.ENOTCONN;
        if (isDead) return true;
        // No answer of the file system itself is no sign that nothing is mounted.
        if (facts is null && error != Posix.ENOENT) return MountTable.Read().Any(m => m.Point == path);
        return facts is { } there && FileFacts.Of(Path.GetDirectoryName(path)!, out _) is { } parent && there.Device != parent.Device;
    }

    /// <summary>Takes the mount away.</summary>
    /// <param name="lazily">Also one that is in use: it is gone from the name space at once, and for its users when the last of them closes it.</param>
    /// <returns>0, or the kernel's error number; not being mounted is none.</returns>
    public static int Unmount(string path, bool lazily)
    {
        while (IsMounted(path, out var isDead))
        {
            if (Posix.Unmount(path, Posix.UMOUNT_NOFOLLOW | (lazily || isDead ? Posix.MNT_DETACH : 0)) == 0) continue;
            var error = Marshal.GetLastPInvokeError();
            if (error is not (Posix.EINVAL or Posix.ENOENT)) return error;
            // EINVAL: somebody else was faster.
            if (IsMounted(path, out _)) return error;
        }
        return 0;
    }

    /// <summary>A file system that has no such flag leaves the folder as it is: then the mode alone keeps others out.</summary>
    private static void SetImmutable(string path, bool immutable)
    {
        if (IsMounted(path, out _)) return;
        using var folder = new SafeFileHandle(Posix.Open(path, Posix.O_RDONLY | Posix.O_CLOEXEC), ownsHandle: true);
        long flags = 0;
        if (folder.IsInvalid || Posix.FlagsControl(folder, Posix.FS_IOC_GETFLAGS, ref flags) != 0) return;
        flags = immutable ? flags | Posix.FS_IMMUTABLE_FL : flags & ~Posix.FS_IMMUTABLE_FL;
        _ = Posix.FlagsControl(folder, Posix.FS_IOC_SETFLAGS, ref flags);
    }
}
