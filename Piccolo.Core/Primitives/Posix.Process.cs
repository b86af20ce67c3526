using System.Runtime.InteropServices;

namespace Piccolo.Core.Primitives;

// What a process asks of the kernel about itself.
internal static partial class Posix
{
    public const int PRIO_PROCESS = 0;
    public const int STDERR_FILENO = 2;
    public const int F_GETFD = 1;
    public const int F_SETFD = 2;
    public const int FD_CLOEXEC = 1;
    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;
    public const int SIG_SETMASK = 2;
    public const nint SIG_DFL = 0;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGTERM = 15;

    /// <summary>The size of a <c>sigset_t</c>, of glibc and of musl.</summary>
    public const int SignalSetBytes = 128;

    [LibraryImport("libc", EntryPoint = "execve", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int ExecVE(string path, nint[] arguments, nint[] environment);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FControl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int FLock(SafeHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    public static partial int SetSignalMask(int how, ref readonly byte set, nint old);

    /// <param name="who">0: the calling thread, on Linux.</param>
    [LibraryImport("libc", EntryPoint = "setpriority")]
    public static partial int SetPriority(int which, int who, int niceness);

    [LibraryImport("libc", EntryPoint = "signal")]
    public static partial nint SetSignalHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void ExitAtOnce(int status);
}
