using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.ControlStore.Upkeep;

/// <summary>Asks the file system itself whether it takes a write: SQLite often says no more than "I/O error".</summary>
internal static class DiskProbe
{
    // Linux, errno(3); .NET hands them on as the exception's HResult.
    private const int NoMemory = 12;
    private const int TooManyFilesInSystem = 23;
    private const int TooManyFiles = 24;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;

    /// <summary>Room that there must be before a full disk counts as mended: more than any one commit needs.</summary>
    public const int Bytes = 64 * 1024;

    /// <returns>What stands in the way of writing to the folder; null when nothing does.</returns>
    public static FaultCode? FindWriteObstacle(string folder)
    {
        var path = Path.Combine(folder, $".probe-{Guid.NewGuid():N}");
        try
        {
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose, BufferSize = 0 });
            file.Write(new byte[Bytes]);
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
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0 });
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

    public static FaultCode CodeOf(IOException e) => e.HResult switch
    {
        NoSpace or QuotaExceeded => FaultCode.DiskFull,
        ReadOnlyFileSystem => FaultCode.ReadOnly,
        Posix.EINTR or Posix.EAGAIN or NoMemory or TooManyFilesInSystem or TooManyFiles => FaultCode.StoreBusy,
        _ => FaultCode.StoreUnreadable,
    };
}
