using System.Collections.Concurrent;
using System.IO.Enumeration;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes;

/// <summary>How much each volume takes on the disk, as last looked at. Looking walks all its files. Thread-safe.</summary>
internal sealed class VolumeUsage(StatePaths paths, TimeProvider time)
{
    /// <summary>A volume is looked at for at most one part in so many of the time.</summary>
    private const int Rarity = 200;

    private const int Block = 4096;

    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = true };

    private readonly ConcurrentDictionary<string, Look> _looks = new(StringComparer.Ordinal);

    public long? Of(string id) => _looks.TryGetValue(id, out var look) ? look.Bytes : null;

    public void Forget(string id) => _looks.TryRemove(id, out _);

    /// <summary>Looks again where the last look is long enough ago for what it took.</summary>
    public void Refresh(string id)
    {
        if (_looks.TryGetValue(id, out var last) && time.GetElapsedTime(last.Began) < last.Took * Rarity) return;
        Measure(new VolumePaths(paths, id));
    }

    /// <returns>Null where it cannot be seen.</returns>
    public long? Measure(VolumePaths volume)
    {
        var began = time.GetTimestamp();
        var bytes = Walk(volume.Cipher);
        _looks[volume.Id] = new Look(bytes, began, time.GetElapsedTime(began));
        return bytes;
    }

    private static long? Walk(string folder)
    {
        try
        {
            // Whole blocks, as a file system gives them; links are not followed.
            return new FileSystemEnumerable<long>(folder, (ref FileSystemEntry entry) => (entry.Length + Block - 1) / Block * Block, Everything).Sum();
        }
        catch (IOException)
        {
            // Gone, or nested deeper than a path can name.
            return null;
        }
    }

    private sealed record Look(long? Bytes, long Began, TimeSpan Took);
}
