using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

/// <summary>The few system calls that .NET has no name for.</summary>
internal static partial class Posix
{
    public const int ReadOnly = 0;
    public const int Directory = 0x10000;
    public const int CloseOnExec = 0x80000;

    // mmap(2) and madvise(2), the same numbers on every Linux architecture that .NET runs on.
    public const int ReadWriteProtection = 1 | 2;
    public const int PrivateAnonymousMapping = 0x02 | 0x20;
    public const nint MapFailed = -1;
    public const int AdviseDoNotNeed = 4;
    public const int AdviseHugePages = 14;
    public const int AdviseDoNotDump = 16;

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    public static partial int MallOpt(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    public static partial int MallocTrim(nuint padding);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint MMap(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int MAdvise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int MUnmap(nint address, nuint length);
}
