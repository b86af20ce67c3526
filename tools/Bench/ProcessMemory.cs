using System.Globalization;

namespace Piccolo.Bench;

/// <summary>What a process holds at this moment (<c>/proc/PID/smaps_rollup</c>), in MB of 2^20 bytes.</summary>
/// <param name="Resident">With the pages of mapped files, which the system can take back at any time.</param>
/// <param name="Anonymous">What stands in no file.</param>
internal readonly record struct ProcessMemory(double Resident, double Anonymous)
{
    public static async Task<ProcessMemory> OfAsync(int process)
    {
        var lines = await File.ReadAllLinesAsync(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/smaps_rollup"));
        return new ProcessMemory(Of("Rss:"), Of("Anonymous:"));

        double Of(string name) =>
            double.Parse(lines.Single(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
                CultureInfo.InvariantCulture) / 1024;
    }
}
