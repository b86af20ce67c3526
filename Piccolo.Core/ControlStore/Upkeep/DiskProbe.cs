using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.ControlStore.Upkeep;

/// <summary>Asks the file system itself whether it takes a write: SQLite often says no more than "I/O error".</summary>
internal static class DiskProbe
{
    /// <summary>Free room that a full disk must have before its fault is cleared: more than any one commit needs.</summary>
    public const int MinFreeBytes = 64 * 1024;

    /// <returns>What stands in the way of writing to the folder; null when nothing does.</returns>
    public static FaultCode? FindWriteObstacle(string folder)
    {
        var path = Path.Combine(folder, $".probe-{Guid.NewGuid():N}");
        try
        {
            using var file = new FileStream(
                path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose, BufferSize = 0 });
            file.Write(new byte[MinFreeBytes]);
            file.Flush(flushToDisk: true);
            return null;
        }
        catch (IOException e)
        {
            return CodeOf(e);
        }
        catch (UnauthorizedAccessException)
        {
            return FaultCode.ReadOnly;
        }
    }

    /// <returns>Why the file cannot be opened for writing; null when it can.</returns>
    public static FaultCode? TryOpen(string path)
    {
        try
        {
            using var file = new FileStream(
                path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0 });
            return null;
        }
        catch (IOException e)
        {
            return CodeOf(e);
        }
        catch (UnauthorizedAccessException)
        {
            // .NET says so of a folder, too.
            return FaultCode.StoreUnreadable;
        }
    }

    /// <summary>.NET hands errno on as the exception's HResult.</summary>
    public static FaultCode CodeOf(IOException e) => e.HResult switch
    {
        Posix.ENOSPC or Posix.EDQUOT => FaultCode.DiskFull,
        Posix.EROFS => FaultCode.ReadOnly,
        Posix.EINTR or Posix.EAGAIN or Posix.ENOMEM or Posix.ENFILE or Posix.EMFILE => FaultCode.StoreBusy,
        _ => FaultCode.StoreUnreadable,
    };
}
