using System.Globalization;
using System.Text;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Platform;

/// <summary>
/// The right of one daemon to a state folder, as an advisory lock (flock) on a file in it: the kernel gives it back when the process ends, however that
/// happens, so nothing stale is ever left behind.
/// </summary>
internal sealed class StateDirectoryLock : IDisposable
{
    /// <summary>EX_TEMPFAIL of sysexits.h: the other one may end, then a restart succeeds.</summary>
    public const int InUseExitCode = 75;

    private readonly FileStream _file;

    private StateDirectoryLock(FileStream file) => _file = file;

    /// <returns>Null when another process holds it.</returns>
    /// <exception cref="UnauthorizedAccessException">The folder is not ours to write.</exception>
    public static StateDirectoryLock? TryTake(StatePaths paths)
    {
        try
        {
            // On Linux FileShare.None is flock(LOCK_EX | LOCK_NB), and the descriptor is closed in children.
            return new StateDirectoryLock(new FileStream(paths.InUse, new FileStreamOptions
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
        Console.Error.WriteLine($"Another Piccolo daemon{ReadOwner(paths)} is using {paths.Root}. Stop it first, or give this one another Piccolo:StateDirectory.");
        Environment.Exit(InUseExitCode);
        throw new InvalidOperationException("The process has ended.");
    }

    /// <summary>Leaves our process id in the file, for people: what counts is the lock.</summary>
    public void Sign()
    {
        _file.SetLength(0);
        _file.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
    }

    private static string ReadOwner(StatePaths paths)
    {
        using var file = new FileStream(paths.InUse, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> text = stackalloc byte[16];
        var length = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        return int.TryParse(text[..length], CultureInfo.InvariantCulture, out var id) ? string.Create(CultureInfo.InvariantCulture, $" (process {id})") : "";
    }

    public void Dispose() => _file.Dispose();
}
