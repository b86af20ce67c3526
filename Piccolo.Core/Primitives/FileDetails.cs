using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>All that a copy of a file has to keep (statx(2)), links not followed.</summary>
/// <param name="Mode">Kind and permissions, as the kernel has them.</param>
/// <param name="Inode">The same for all names of one file.</param>
/// <param name="Names">How many names it has.</param>
/// <param name="Blocks">Of 512 bytes each, that it takes on the disk.</param>
/// <param name="Seconds">Of the last change, since 1970; may be negative.</param>
internal readonly record struct FileDetails(
    uint Mode, uint User, uint Group, ulong Inode, uint Names, long Length, long Blocks, long Seconds, uint Nanoseconds, ulong Device)
{
    public const uint PermissionMask = 0xFFF;
    private const uint KindMask = 0xF000;

    public bool IsFolder => (Mode & KindMask) == 0x4000;

    public bool IsFile => (Mode & KindMask) == 0x8000;

    public bool IsLink => (Mode & KindMask) == 0xA000;

    public bool IsFifo => (Mode & KindMask) == 0x1000;

    public bool IsSocket => (Mode & KindMask) == 0xC000;

    public UnixFileMode Permissions => (UnixFileMode)(Mode & PermissionMask);

    /// <summary>Parts of it were never written, and take no room.</summary>
    public bool HasHoles => Blocks * 512 < Length;

    /// <exception cref="IOException">There is no such file, or it cannot be seen.</exception>
    public static FileDetails Of(string path)
    {
        Span<byte> answer = stackalloc byte[Posix.StatxBytes];
        while (Posix.Statx(Posix.AT_FDCWD, path, Posix.AT_SYMLINK_NOFOLLOW, Posix.STATX_BASIC_STATS, ref MemoryMarshal.GetReference(answer)) != 0)
            if (Marshal.GetLastPInvokeError() != Posix.EINTR) throw Posix.Failure();
        return new FileDetails(
            MemoryMarshal.Read<ushort>(answer[28..]), MemoryMarshal.Read<uint>(answer[20..]), MemoryMarshal.Read<uint>(answer[24..]),
            MemoryMarshal.Read<ulong>(answer[32..]), MemoryMarshal.Read<uint>(answer[16..]), MemoryMarshal.Read<long>(answer[40..]),
            MemoryMarshal.Read<long>(answer[48..]), MemoryMarshal.Read<long>(answer[112..]), MemoryMarshal.Read<uint>(answer[120..]),
            MemoryMarshal.Read<ulong>(answer[136..]));
    }
}
