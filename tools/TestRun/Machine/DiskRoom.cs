namespace Piccolo.TestRun.Machine;

/// <summary>Whether results, logs and the tests' own folders find room.</summary>
internal static class DiskRoom
{
    public const long NeededMiB = 512;

    /// <param name="free">Bytes that are free at a place.</param>
    /// <returns>A sentence for each place that is too full.</returns>
    public static IReadOnlyList<string> Faults(IEnumerable<string> places, Func<string, long> free) =>
        [.. places.Select(place => (Place: place, MiB: free(place) >> 20)).Where(p => p.MiB < NeededMiB)
            .Select(p => $"{p.Place} has {p.MiB} MiB of free disk space; a run needs {NeededMiB} MiB")];

    public static long Free(string place) => new DriveInfo(place).AvailableFreeSpace;
}
