using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>What a name is, without following a link.</summary>
internal enum FileKind
{
    Other,
    File,
    Folder,
    Link,
}

/// <summary>What the kernel says of one name (statx(2)), links not followed.</summary>
/// <param name="Device">Of the file system that it lies on: differs from the parent's where something is mounted.</param>
internal readonly record struct FileFacts(FileKind Kind, ulong Device)
{
    private const int ModeOffset = 28;
    private const int DeviceOffset = 136;
    private const int KindMask = 0xF000;

    /// <param name="error">The kernel's error number; 0 when it answered.</param>
    /// <returns>Null when it gave an error.</returns>
    public static FileFacts? Of(string path, out int error)
    {
        Span<byte> answer = stackalloc byte[Posix.StatxBytes];
        error = 0;
        while (Posix.Statx(Posix.AT_FDCWD, path, Posix.AT_SYMLINK_NOFOLLOW, Posix.STATX_BASIC_STATS, ref MemoryMarshal.GetReference(answer)) != 0)
        {
            error = Marshal.GetLastPInvokeError();
            // A file system in user space is told of the runtime's own signals, and gives up the question.
            if (error != Posix.EINTR) return null;
            error = 0;
        }
        var kind = (MemoryMarshal.Read<ushort>(answer[ModeOffset..]) & KindMask) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Folder,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };
        // Major and minor number stand side by side.
        return new FileFacts(kind, MemoryMarshal.Read<ulong>(answer[DeviceOffset..]));
    }
}
