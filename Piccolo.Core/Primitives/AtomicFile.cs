using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Primitives;

/// <summary>
/// Replaces a file so that a reader, or the next start after a power cut, sees the old content or the new one, never a mixture:
/// temporary file, fsync, rename, fsync of the folder. Files are created 0600.
/// </summary>
public static class AtomicFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        LoopThread.MustNotBlock();
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        // Opened first: where that fails, because no descriptor is free, nothing has changed yet.
        using var folder = OpenDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        try
        {
            using (var stream = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
                BufferSize = 0,
            }))
            {
                WriteSteps.Reached(WriteStep.TemporaryCreated, path);
                stream.Write(content);
                WriteSteps.Reached(WriteStep.Written, path);
                stream.Flush(flushToDisk: true);
            }
            WriteSteps.Reached(WriteStep.Flushed, path);
            File.Move(temporary, path, overwrite: true);
            WriteSteps.Reached(WriteStep.Renamed, path);
            RandomAccess.FlushToDisk(folder);
            WriteSteps.Reached(WriteStep.Durable, path);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Removes what a killed process left behind of <see cref="Write"/>.</summary>
    public static void DeleteLeftovers(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder)) return;
        foreach (var leftover in Directory.EnumerateFiles(folder, Path.GetFileName(path) + ".*.tmp")) File.Delete(leftover);
    }

    /// <summary>Makes renames and deletions in a folder durable.</summary>
    internal static void FlushDirectory(string folder)
    {
        using var handle = OpenDirectory(folder);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>
    /// .NET refuses to open a folder as a stream, but a plain read handle is all that fsync needs on Linux. Without <c>O_DIRECTORY</c>, whose number is another
    /// one on arm64.
    /// </summary>
    private static SafeFileHandle OpenDirectory(string folder)
    {
        var descriptor = Posix.Open(folder, Posix.O_RDONLY | Posix.O_CLOEXEC);
        if (descriptor < 0)
            throw new IOException($"The folder '{folder}' cannot be opened to make its entries durable: {Marshal.GetLastPInvokeErrorMessage()}");
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
