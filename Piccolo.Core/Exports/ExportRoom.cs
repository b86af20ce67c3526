using System.Globalization;

namespace Piccolo.Core.Exports;

/// <summary>Keeps an export from filling the disk to the last byte: the store needs room too. One export's.</summary>
/// <param name="keptFree">Bytes.</param>
/// <param name="isOpen">Whether the store is: a key that outlives a lock would break its promise.</param>
internal sealed class ExportRoom(string folder, Func<long> keptFree, Func<bool> isOpen)
{
    /// <summary>Bytes between two looks.</summary>
    private const long Interval = 16 * 1024 * 1024;

    private long _untilLook;

    /// <summary>Before anything is stopped or written.</summary>
    /// <exception cref="ExportFailedException">The disk is too small for the export.</exception>
    public void Require(long bytes)
    {
        var (free, kept) = (Free(), keptFree());
        if (bytes > free - kept)
            throw new ExportFailedException("disk_full", string.Create(CultureInfo.InvariantCulture,
                $"The export takes about {bytes} bytes, and of the {free} that are free on the disk {kept} are kept. Delete older exports, or make room."));
    }

    /// <summary>Told of each read before it is written.</summary>
    public void Take(int bytes)
    {
        if (!isOpen()) throw new ControlStore.StoreSealedException();
        _untilLook -= bytes;
        if (_untilLook > 0) return;
        _untilLook = Interval;
        if (Free() < keptFree())
            throw new ExportFailedException("disk_full", "The disk became full while the export was written. Delete older exports, or make room.");
    }

    private long Free() => new DriveInfo(folder).AvailableFreeSpace;
}
