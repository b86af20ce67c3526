using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>
/// Processes of gocryptfs that an earlier daemon has started for volumes of this state folder. They are known by their arguments; ours are the children of
/// this one and are left out. Thread-safe.
/// </summary>
internal sealed class LeftServers(StatePaths paths, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private ImmutableDictionary<int, string> _left = ImmutableDictionary<int, string>.Empty;

    /// <summary>Looks for them, once: before this daemon has started any.</summary>
    public void Find() => _left = Running().ToImmutableDictionary(p => p.Process, p => p.Volume);

    /// <summary>The ids of volumes that one of them still serves.</summary>
    public ImmutableHashSet<string> Volumes()
    {
        Forget();
        return [.. _left.Values];
    }

    /// <summary>Waits until none serves the volume any more.</summary>
    /// <param name="kill">Ends it when it has not ended in time.</param>
    /// <returns>Whether none does.</returns>
    public async Task<bool> EndAsync(string volume, TimeSpan limit, bool kill, CancellationToken cancellationToken)
    {
        if (await EndedAsync(volume, limit, cancellationToken)) return true;
        if (!kill) return false;
        foreach (var (id, _) in _left.Where(l => l.Value == volume && Serves(l.Key) == volume)) Kill(id);
        return await EndedAsync(volume, limit, cancellationToken);
    }

    private async Task<bool> EndedAsync(string volume, TimeSpan limit, CancellationToken cancellationToken)
    {
        // They are no children of this process, whose end the kernel would tell.
        var began = time.GetTimestamp();
        while (Volumes().Contains(volume))
        {
            if (time.GetElapsedTime(began) >= limit) return false;
            await Task.Delay(Pause, time, cancellationToken);
        }
        return true;
    }

    private void Forget()
    {
        foreach (var (id, volume) in _left)
        {
            if (Serves(id) == volume) continue;
            // A lock replaces the program of the daemon in the same process, whose children it then has without having started them.
            _ = Posix.WaitForChild(id, 0, Posix.WNOHANG);
            ImmutableInterlocked.TryRemove(ref _left, id, out _);
        }
    }

    private IEnumerable<(int Process, string Volume)> Running()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Serves(id) is { } volume)
                yield return (id, volume);
    }

    /// <summary>The volume of this state folder that a process serves; null for all other processes, and for one that has ended.</summary>
    private string? Serves(int process)
    {
        try
        {
            // Of a process that has ended and was not waited for there are no arguments.
            var arguments = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{process}/cmdline")).Split('\0', StringSplitOptions.RemoveEmptyEntries);
            if (arguments.Length == 0 || Path.GetFileName(arguments[0]) != "gocryptfs" || Path.GetDirectoryName(arguments[^1]) != paths.Mounts) return null;
            return Path.GetFileName(arguments[^1]) is var name && VolumeRecord.IsId(name) ? name : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Ended, or nobody's business.
            return null;
        }
    }

    private static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // It has ended meanwhile.
        }
    }
}
