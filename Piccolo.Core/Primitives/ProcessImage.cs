using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Piccolo.Core.Primitives;

/// <summary>
/// What this process runs, for running it again in the same process (execve(2)): program, arguments and environment are those of its own start. Nothing of
/// its memory, its threads and its descriptors survives.
/// </summary>
public static class ProcessImage
{
    /// <summary>
    /// The signals that end a process do so at once from now on, whoever handled them before. One that arrived just before is still handled.
    /// </summary>
    public static void EndBySignalAtOnce()
    {
        foreach (var signal in (int[])[Posix.SIGTERM, Posix.SIGINT, Posix.SIGQUIT]) Posix.SetSignalHandler(signal, Posix.SIG_DFL);
    }

    /// <summary>Does not return when it succeeds. To be called on the main thread: priority and parent-death signal are the calling thread's.</summary>
    /// <param name="inherited">The only descriptor beside 0, 1 and 2 that the new image gets; null for none.</param>
    /// <returns>The error number of execve(2).</returns>
    public static int Replace(SafeHandle? inherited)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of the program is unknown.");
        var arguments = Texts("/proc/self/cmdline");
        var environment = Texts("/proc/self/environ");
        CloseAllOnExec(inherited is null ? -1 : (int)inherited.DangerousGetHandle());
        // The mask of a thread is inherited; ours may block what the runtime handles elsewhere.
        var none = new byte[Posix.SignalSetBytes];
        Posix.SetSignalMask(Posix.SIG_SETMASK, in none[0], 0);
        Posix.ExecVE(program, arguments, environment);
        return Marshal.GetLastPInvokeError();
    }

    /// <summary>The file that the image before this one had locked (flock(2)) and handed on.</summary>
    /// <returns>Null where there is none.</returns>
    public static SafeFileHandle? TakeInherited(string path)
    {
        // The kernel tells paths without links.
        using var folder = new SafeFileHandle(Posix.Open(Path.GetDirectoryName(path)!, Posix.O_RDONLY | Posix.O_CLOEXEC), ownsHandle: true);
        if (folder.IsInvalid || TargetOf(folder.DangerousGetHandle()) is not { } root) return null;
        foreach (var descriptor in Descriptors())
        {
            // What this image has opened itself is closed on exec.
            if (Posix.FControl(descriptor, Posix.F_GETFD, 0) != 0 || TargetOf(descriptor) != Path.Combine(root, Path.GetFileName(path))) continue;
            _ = Posix.FControl(descriptor, Posix.F_SETFD, Posix.FD_CLOEXEC);
            var file = new SafeFileHandle(descriptor, ownsHandle: true);
            if (Posix.FLock(file, Posix.LOCK_EX | Posix.LOCK_NB) == 0) return file;
            file.Dispose();
        }
        return null;

        static string? TargetOf(nint descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;
    }

    /// <summary>Ends the process as it is: no handler runs, nothing is waited for.</summary>
    public static void ExitAtOnce(int status) => Posix.ExitAtOnce(status);

    /// <summary>The runtime opens everything so; a native library may not have.</summary>
    private static void CloseAllOnExec(int inherited)
    {
        // One that was closed meanwhile is none: the error means nothing.
        foreach (var descriptor in Descriptors()) _ = Posix.FControl(descriptor, Posix.F_SETFD, descriptor == inherited ? 0 : Posix.FD_CLOEXEC);
    }

    /// <summary>Of this process, but for 0, 1 and 2.</summary>
    private static IEnumerable<int> Descriptors() =>
        Directory.GetFileSystemEntries("/proc/self/fd").Select(e => int.Parse(Path.GetFileName(e), CultureInfo.InvariantCulture))
            .Where(d => d > Posix.STDERR_FILENO);

    /// <summary>Pointers to the texts of such a file, each of which ends in a zero byte, and a null pointer.</summary>
    private static nint[] Texts(string file)
    {
        var bytes = File.ReadAllBytes(file);
        // Never freed: it is read when nothing else of this image is left.
        var texts = Marshal.AllocHGlobal(bytes.Length + 1);
        Marshal.Copy(bytes, 0, texts, bytes.Length);
        Marshal.WriteByte(texts, bytes.Length, 0);
        var pointers = new List<nint>();
        for (var at = 0; at < bytes.Length; at += bytes.AsSpan(at).IndexOf((byte)0) + 1) pointers.Add(texts + at);
        return [.. pointers, 0];
    }
}
