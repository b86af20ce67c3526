using System.Runtime.InteropServices;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Platform;

/// <summary>
/// The right of one daemon to a state folder, as an advisory lock (flock) on a file in it: the kernel gives it back when the process ends, however that
/// happens, so nothing stale is ever left behind. A process that replaces its image hands the open file on: there is no moment in between.
/// </summary>
internal sealed class StateDirectoryLock : IDisposable
{
    /// <summary>EX_TEMPFAIL of sysexits.h: the other one may end, then a restart succeeds.</summary>
    public const int InUseExitCode = 75;

    private readonly FileStream _file;

    private StateDirectoryLock(StatePaths paths, FileStream file) => (Paths, _file) = (paths, file);

    public StatePaths Paths { get; }

    /// <summary>For the next image of this process.</summary>
    public SafeHandle Handle => _file.SafeFileHandle;

    /// <returns>Null when another process holds it.</returns>
    /// <exception cref="UnauthorizedAccessException">The folder is not ours to write.</exception>
    public static StateDirectoryLock? TryTake(StatePaths paths)
    {
        if (ProcessImage.TakeInherited(paths.InUse) is { } inherited)
            return new StateDirectoryLock(paths, new FileStream(inherited, FileAccess.ReadWrite, bufferSize: 0));
        try
        {
            // On Linux FileShare.None is flock(LOCK_EX | LOCK_NB), and the descriptor is closed in children.
            return new StateDirectoryLock(paths, new FileStream(paths.InUse, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }));
        }
        catch (IOException) when (File.Exists(paths.InUse))
        {
            return null;
        }
    }

    /// <summary>For a program's start: without the lock it says why and ends.</summary>
    public static StateDirectoryLock TakeOrExit(StatePaths paths)
    {
        if (TryTake(paths) is { } taken) return taken;
        Console.Error.WriteLine($"Another Piccolo daemon is using {paths.Root}. Stop it first, or give this one another Piccolo:StateDirectory.");
        Environment.Exit(InUseExitCode);
        throw new InvalidOperationException("The process has ended.");
    }

    public void Dispose() => _file.Dispose();
}
