using System.Globalization;

namespace Piccolo.Bench.Ingress;

/// <summary>What a process and its children have used, as the kernel counts it (proc(5)).</summary>
internal static class ProcessFigures
{
    // USER_HZ is 100 on every architecture that we run on.
    private const double SecondsPerTick = 0.01;

    /// <summary>User and system time.</summary>
    public static double CpuSeconds(int root) => Tree(root).Sum(id => Stat(id) is { } stat ? (Ticks(stat, 11) + Ticks(stat, 12)) * SecondsPerTick : 0);

    /// <summary>Resident memory.</summary>
    public static double ResidentKiB(int root) => Tree(root).Sum(id =>
    {
        var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    });

    private static IEnumerable<int> Tree(int root)
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Stat(id) is { } stat)
                parents[id] = (int)Ticks(stat, 1);
        return parents.Keys.Where(id => id == root || parents[id] == root);
    }

    /// <summary>The fields behind the program's name, which may hold blanks; null when the process has ended.</summary>
    private static string[]? Stat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static long Ticks(string[] stat, int field) => long.Parse(stat[field], CultureInfo.InvariantCulture);
}
