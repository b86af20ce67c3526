using System.Globalization;
using System.Text.RegularExpressions;
using Piccolo.Rig;

namespace Piccolo.Bench;

/// <summary>What a process has used so far. CPU time can be compared even where others keep the machine busy; wall-clock time cannot.</summary>
/// <param name="CpuMilliseconds">User and system time, from <c>/proc/PID/stat</c>: in steps of 10 ms.</param>
/// <param name="AllocatedBytes">What .NET has allocated, from the process's own metrics.</param>
/// <param name="JitMilliseconds">What the just-in-time compiler has taken, from the same: most of it once in the life of a process.</param>
internal readonly partial record struct ProcessUsage(double CpuMilliseconds, double AllocatedBytes, double JitMilliseconds)
{
    private const double MillisecondsPerTick = 10;
    private const int UserTime = 11;

    public static async Task<ProcessUsage> OfAsync(ApplianceProcess appliance)
    {
        // Scraped before the CPU is read, or after: the scrape itself costs about a tick.
        var metrics = await MetricsAsync(appliance.Api);
        var stat = await File.ReadAllTextAsync(string.Create(CultureInfo.InvariantCulture, $"/proc/{appliance.Id}/stat"));
        // The name in parentheses may contain blanks; what follows it does not.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = double.Parse(fields[UserTime], CultureInfo.InvariantCulture) + double.Parse(fields[UserTime + 1], CultureInfo.InvariantCulture);
        return new ProcessUsage(ticks * MillisecondsPerTick, Value(TotalAllocated(), metrics), Value(JitSeconds(), metrics) * 1000);
    }

    public static ProcessUsage operator -(ProcessUsage later, ProcessUsage earlier) =>
        new(later.CpuMilliseconds - earlier.CpuMilliseconds, later.AllocatedBytes - earlier.AllocatedBytes, later.JitMilliseconds - earlier.JitMilliseconds);

    private static async Task<string> MetricsAsync(ApplianceClient api)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        using var answer = await api.SendRawAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }

    private static double Value(Regex name, string metrics)
    {
        var value = name.Match(metrics);
        return value.Success ? double.Parse(value.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"The metrics have no {name}.");
    }

    [GeneratedRegex(@"^dotnet_gc_heap_total_allocated_bytes_total(?:\{[^}]*\})? ([0-9.eE+]+)", RegexOptions.Multiline)]
    private static partial Regex TotalAllocated();

    [GeneratedRegex(@"^dotnet_jit_compilation_time_seconds_total(?:\{[^}]*\})? ([0-9.eE+-]+)", RegexOptions.Multiline)]
    private static partial Regex JitSeconds();
}
